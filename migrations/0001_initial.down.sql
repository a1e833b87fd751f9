DROP TABLE replicas, api_keys, callbacks, events, phone_numbers, steps, requests, onboardings;
