package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// timestamptz is t as Postgres stores it, to the microsecond. The zero time is NULL.
func timestamptz(t time.Time) pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: t, Valid: !t.IsZero()}
}

// timeOf is the reverse of timestamptz, in UTC.
func timeOf(t pgtype.Timestamptz) time.Time {
	if !t.Valid {
		return time.Time{}
	}
	return t.Time.UTC()
}

func interval(d time.Duration) pgtype.Interval {
	return pgtype.Interval{Microseconds: d.Microseconds(), Valid: true}
}

// stamp is a time in JSON as Postgres stores it, to the microsecond. The zero time is null.
type stamp struct{ time.Time }

// MarshalJSON implements json.Marshaler.
func (s stamp) MarshalJSON() ([]byte, error) {
	if s.IsZero() {
		return []byte("null"), nil
	}
	return s.UTC().Truncate(time.Microsecond).AppendFormat(nil, `"`+time.RFC3339Nano+`"`), nil
}

// encode returns v in JSON. The values of this package can all be encoded. If one could not,
// Postgres would refuse the empty text.
func encode(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

// fromJSON decodes a jsonb column into a value of type T. NULL is the zero value.
func fromJSON[T any](column string, data []byte) (T, error) {
	var value T
	if data == nil {
		return value, nil
	}
	if err := json.Unmarshal(data, &value); err != nil {
		return value, fmt.Errorf("decode %s: %w", column, err)
	}
	return value, nil
}
