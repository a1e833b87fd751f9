DROP INDEX events_review_decisions_idx;
DROP INDEX callbacks_received_at_idx;
