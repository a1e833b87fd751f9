package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxBody is the largest body that is read. Callbacks have a limit of their own.
const maxBody = 1 << 20

// readJSON reads the JSON body of a POST or PATCH and trims every text in it. The patterns of the
// contract and the handlers then see the same text. A request without a body passes: the contract
// says whether one is needed.
func readJSON(c *contract) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := readBody(w, r, maxBody)
			if err == nil && len(body) > 0 {
				body, err = c.trimmedBody(r, body)
			}
			if err != nil {
				respondError(w, r, err)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			r.ContentLength = int64(len(body))
			r.GetBody = nil
			next.ServeHTTP(w, r)
		})
	}
}

// trimmedBody trims the body if the operation takes its media type. It also spells the media type
// as the contract does, because the later steps compare it with the contract.
func (c *contract) trimmedBody(r *http.Request, body []byte) ([]byte, error) {
	taken := c.bodyTypes(r.Method, routeOf(r))
	mediaType, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset, declared := parameters["charset"]
	if err != nil || !slices.Contains(taken, mediaType) || declared && !strings.EqualFold(charset, "utf-8") {
		return nil, problem(problemUnsupportedMediaType, "Send JSON in UTF-8, with Content-Type: "+strings.Join(taken, " or ")+".")
	}
	r.Header.Set("Content-Type", mediaType)
	return trimmedJSON(body)
}

// readBody reads at most limit bytes of the body.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, problem(problemBodyTooLarge, fmt.Sprintf("The body may have %d bytes at most.", limit))
	case err != nil:
		return nil, problem(problemMalformedBody, "The body ended before it was complete.")
	}
	return body, nil
}

// trimmedJSON returns a JSON document without white space around its string values.
func trimmedJSON(body []byte) ([]byte, error) {
	if !utf8.Valid(body) {
		return nil, problem(problemMalformedBody, "The body is not in UTF-8.")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var document any
	if err := decoder.Decode(&document); err != nil {
		return nil, malformedJSON(err, int64(len(body)))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, problem(problemMalformedBody, fmt.Sprintf("The JSON document ends at byte %d, and something follows it.", decoder.InputOffset()))
	}
	if at, twice := duplicateMember(body); twice {
		return nil, problem(problemMalformedBody, "The member at "+at+" is there twice.")
	}
	trimmed, err := json.Marshal(trimStrings(document))
	if err != nil {
		return nil, fmt.Errorf("encode a trimmed body: %w", err)
	}
	return trimmed, nil
}

// malformedJSON says where the JSON is broken. It repeats nothing of the body.
func malformedJSON(err error, length int64) error {
	offset := length
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		offset = syntax.Offset
	}
	return problem(problemMalformedBody, fmt.Sprintf("The body is not valid JSON at byte %d.", offset))
}

// trimStrings trims every string value in a decoded JSON document. The names of members stay as
// they are.
func trimStrings(value any) any {
	switch v := value.(type) {
	case string:
		return strings.TrimSpace(v)
	case []any:
		for i := range v {
			v[i] = trimStrings(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = trimStrings(v[name])
		}
	}
	return value
}
