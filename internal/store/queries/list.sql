-- name: ListOnboardings :many
-- An empty filter selects all. Newest first, from behind the cursor on.
SELECT o.id, o.external_id, o.subaccount_sid, o.primary_profile_sid, o.status, o.attestation, o.version, o.created_at, o.updated_at,
    coalesce(r.request #>> '{business,business_name}', '')::text AS business_name
FROM onboardings o
JOIN requests r ON r.onboarding_id = o.id AND r.version = o.version
WHERE (@status::text = '' OR o.status = @status::text)
    AND (@subaccount_sid::text = '' OR o.subaccount_sid = @subaccount_sid::text)
    AND (@external_id::text = '' OR o.external_id = @external_id::text AND o.external_id <> '')
    AND (sqlc.narg('after_created_at')::timestamptz IS NULL
        OR (o.created_at, o.id) < (sqlc.narg('after_created_at')::timestamptz, @after_id::text))
ORDER BY o.created_at DESC, o.id DESC
LIMIT @page_size;

-- name: ListSteps :many
-- What a list shows of the steps of its onboardings: the bundles with their statuses, and what
-- failed.
SELECT onboarding_id, key, state, sid, remote_status, requirements
FROM steps
WHERE onboarding_id = ANY(@onboarding_ids::text[]) AND (state = 'failed' OR key = ANY(@bundle_keys::text[]))
ORDER BY onboarding_id, key;
