-- The callbacks that are older than their retention are found by it.
CREATE INDEX callbacks_received_at_idx ON callbacks (received_at);

-- The decisions of Twilio's reviewers, by kind of bundle. How long reviews usually take is computed
-- from the newest. A failure with a code is a read that Twilio refused, and no decision.
CREATE INDEX events_review_decisions_idx ON events (bundle, id)
    WHERE step_kind = 'review' AND kind IN ('step.succeeded', 'step.failed') AND detail NOT LIKE 'code %';
