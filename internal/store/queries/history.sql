-- name: EventsBefore :many
-- Newest first, from before that ID on.
SELECT id, at, kind, step, step_kind, bundle, actor, detail FROM events
WHERE onboarding_id = @onboarding_id AND id < @before_id
ORDER BY id DESC
LIMIT @page_size;

-- name: EventsAfter :many
-- Oldest first, from after that ID on.
SELECT id, at, kind, step, step_kind, bundle, actor, detail FROM events
WHERE onboarding_id = @onboarding_id AND id > @after_id
ORDER BY id
LIMIT @page_size;

-- name: CallbacksBefore :many
-- Newest first, from before that ID on.
SELECT id, received_at, idempotency_token, signed_by, content_type, body, bundle_sid, status
FROM callbacks WHERE onboarding_id = @onboarding_id AND id < @before_id
ORDER BY id DESC
LIMIT @page_size;

-- name: VersionsBefore :many
-- Newest first, from before that version on. The event of a version was written in the same
-- transaction and at the same time, to the microsecond. 0 and empty if there is none.
SELECT r.version, r.request, r.created_at, coalesce(e.id, 0)::bigint AS event_id, coalesce(e.actor, '')::text AS actor
FROM requests r
LEFT JOIN LATERAL (
    SELECT n.id, n.actor FROM events n
    WHERE n.onboarding_id = r.onboarding_id AND n.at = r.created_at AND n.kind LIKE 'onboarding.%'
    ORDER BY n.id
    LIMIT 1
) e ON true
WHERE r.onboarding_id = @onboarding_id AND r.version < @before_version
ORDER BY r.version DESC
LIMIT @page_size;

-- name: SubmissionEvents :many
-- The events that tell which bundle was submitted when, and what the reviewers decided, in order: of
-- the bundles, of their submissions, and of the decisions. The submission of a bundle that was adopted
-- was not begun here. A failure with a code is a read that Twilio refused, and no decision.
SELECT e.id, e.at, e.kind, e.step_kind, e.bundle, e.detail FROM events e
WHERE e.onboarding_id = @onboarding_id
    AND (e.kind IN ('step.succeeded', 'step.adopted') AND e.step_kind = 'bundle'
        OR e.kind = 'step.succeeded' AND e.step_kind = 'submission' AND EXISTS (
            SELECT FROM events b
            WHERE b.onboarding_id = e.onboarding_id AND b.step = e.step
                AND b.kind IN ('step.running', 'step.adopted') AND b.id < e.id)
        OR e.step_kind = 'review' AND e.kind IN ('step.succeeded', 'step.failed') AND e.detail NOT LIKE 'code %')
ORDER BY e.id;

-- name: RecentReviews :many
-- The newest decisions about a kind of bundle, each with the submission that it answers. Only the
-- first decision after a submission is about it. A later one is an approval that ended.
SELECT s.at AS submitted_at, d.at AS decided_at
FROM (
    SELECT e.onboarding_id, e.id, e.at FROM events e
    WHERE e.bundle = @bundle AND e.step_kind = 'review'
        AND e.kind IN ('step.succeeded', 'step.failed') AND e.detail NOT LIKE 'code %'
    ORDER BY e.id DESC
    LIMIT @most
) d
CROSS JOIN LATERAL (
    SELECT n.id, n.at FROM events n
    WHERE n.onboarding_id = d.onboarding_id AND n.id < d.id
        AND n.bundle = @bundle AND n.step_kind = 'submission' AND n.kind = 'step.succeeded'
        -- The submission of a bundle that was adopted has no time that is known.
        AND EXISTS (
            SELECT FROM events b
            WHERE b.onboarding_id = d.onboarding_id AND b.bundle = @bundle AND b.step_kind = 'submission'
                AND b.kind IN ('step.running', 'step.adopted') AND b.id < n.id)
    ORDER BY n.id DESC
    LIMIT 1
) s
WHERE NOT EXISTS (
    SELECT FROM events n
    WHERE n.onboarding_id = d.onboarding_id AND n.id > s.id AND n.id < d.id
        AND n.bundle = @bundle AND n.step_kind = 'review'
        AND n.kind IN ('step.succeeded', 'step.failed') AND n.detail NOT LIKE 'code %');
