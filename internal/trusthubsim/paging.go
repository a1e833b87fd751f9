package trusthubsim

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// page is one page of a list, newest first.
type page[T any] struct {
	items          []T
	size, number   int
	next, previous string // page tokens, "" where there is no such page
}

// A page token is a direction and a sequence number: PA12 is the page after (older than) object 12,
// PB12 the page before it.
const (
	tokenAfter  = "PA"
	tokenBefore = "PB"
)

// pageOf cuts one page out of a collection's objects: those that match and are older than the list
// lag.
func pageOf[T keyed](c *call, all []T, match func(T) bool) (page[T], *apiError) {
	p := page[T]{items: []T{}}
	var apiErr *apiError
	if p.size, apiErr = c.queryInt("PageSize", 50); apiErr != nil {
		return p, apiErr
	}
	if p.size < 1 || p.size > 1000 {
		return p, badRequest(codePageSize, "PageSize must be from 1 to 1000")
	}
	if p.number, apiErr = c.queryInt("Page", 0); apiErr != nil {
		return p, apiErr
	}
	token := c.query.Get("PageToken")
	from, backwards, apiErr := parseToken(token)
	if apiErr != nil {
		return p, apiErr
	}
	visible := func(object T) bool {
		return c.now.Sub(object.key().created) >= c.sim.cfg.ListLag && (match == nil || match(object))
	}

	more := false
	within := &collection[T]{order: all}
	if backwards {
		for _, object := range all[within.position(from+1):] {
			if visible(object) {
				if len(p.items) == p.size {
					more = true
					break
				}
				p.items = append(p.items, object)
			}
		}
		slices.Reverse(p.items)
	} else {
		end := len(all)
		if token != "" {
			end = within.position(from)
		}
		for _, object := range slices.Backward(all[:end]) {
			if visible(object) {
				if len(p.items) == p.size {
					more = true
					break
				}
				p.items = append(p.items, object)
			}
		}
	}
	if len(p.items) > 0 {
		first, last := p.items[0].key().seq, p.items[len(p.items)-1].key().seq
		if more || backwards {
			p.next = tokenAfter + strconv.FormatUint(last, 10)
		}
		if token != "" && (more || !backwards) {
			p.previous = tokenBefore + strconv.FormatUint(first, 10)
		}
	}
	return p, nil
}

func parseToken(token string) (from uint64, backwards bool, apiErr *apiError) {
	if token == "" {
		return 0, false, nil
	}
	digits, after := strings.CutPrefix(token, tokenAfter)
	if !after {
		digits, backwards = strings.CutPrefix(token, tokenBefore)
	}
	from, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || !after && !backwards {
		return 0, false, badRequest(codeInvalidParameter, "Invalid PageToken")
	}
	return from, backwards, nil
}

// pageQuery writes the query of a page of the list that c asked for: its filters in the order of
// the specification, the size, the number and the token.
func (c *call) pageQuery(size, number int, token string) string {
	var b strings.Builder
	for _, name := range c.route.query {
		if values, ok := c.query[name]; ok && name != "PageSize" && name != "Page" && name != "PageToken" {
			b.WriteString(url.QueryEscape(name) + "=" + url.QueryEscape(values[0]) + "&")
		}
	}
	b.WriteString("PageSize=" + strconv.Itoa(size) + "&Page=" + strconv.Itoa(number))
	if token != "" {
		b.WriteString("&PageToken=" + token)
	}
	return b.String()
}

type trustHubMeta struct {
	Page            int     `json:"page"`
	PageSize        int     `json:"page_size"`
	FirstPageURL    string  `json:"first_page_url"`
	PreviousPageURL *string `json:"previous_page_url"`
	URL             string  `json:"url"`
	NextPageURL     *string `json:"next_page_url"`
	Key             string  `json:"key"`
}

// trustHubList answers with a page in Trust Hub's shape: the resources under key, and meta with
// absolute URLs.
func trustHubList[T keyed](c *call, key string, all []T, match func(T) bool, render func(T) any) (answer, *apiError) {
	p, apiErr := pageOf(c, all, match)
	if apiErr != nil {
		return answer{}, apiErr
	}
	address := func(number int, token string) string {
		return c.base + c.path + "?" + c.pageQuery(p.size, number, token)
	}
	meta := trustHubMeta{
		Page: p.number, PageSize: p.size, Key: key,
		FirstPageURL: address(0, ""),
		URL:          address(p.number, c.query.Get("PageToken")),
	}
	if p.next != "" {
		next := address(p.number+1, p.next)
		meta.NextPageURL = &next
	}
	if p.previous != "" {
		previous := address(max(p.number-1, 0), p.previous)
		meta.PreviousPageURL = &previous
	}
	return answer{body: map[string]any{key: renderAll(p.items, render), "meta": meta}}, nil
}

// v2010List answers with a page in the older API's shape: everything on one level, and URIs without
// a host.
func v2010List[T keyed](c *call, key string, all []T, match func(T) bool, render func(T) any) (answer, *apiError) {
	p, apiErr := pageOf(c, all, match)
	if apiErr != nil {
		return answer{}, apiErr
	}
	address := func(number int, token string) string {
		return c.path + "?" + c.pageQuery(p.size, number, token)
	}
	start := p.number * p.size
	body := map[string]any{
		key: renderAll(p.items, render), "page": p.number, "page_size": p.size,
		"start": start, "end": max(start+len(p.items)-1, 0),
		"first_page_uri": address(0, ""), "uri": address(p.number, c.query.Get("PageToken")),
		"next_page_uri": nil, "previous_page_uri": nil,
	}
	if p.next != "" {
		body["next_page_uri"] = address(p.number+1, p.next)
	}
	if p.previous != "" {
		body["previous_page_uri"] = address(max(p.number-1, 0), p.previous)
	}
	return answer{body: body}, nil
}

func renderAll[T any](items []T, render func(T) any) []any {
	rendered := make([]any, len(items))
	for i, item := range items {
		rendered[i] = render(item)
	}
	return rendered
}
