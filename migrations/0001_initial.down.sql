CREATE INDEX river_job_args_index ON river_job USING GIN (args);
CREATE INDEX river_job_metadata_index ON river_job USING GIN (metadata);
DROP TABLE replicas, api_keys, callbacks, events, phone_numbers, steps, requests, onboardings;
