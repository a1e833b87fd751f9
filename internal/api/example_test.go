package api_test

import (
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/attestd/attestd/internal/api"
)

func ExampleNew() {
	handler, err := api.New(api.Config{Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		log.Fatal(err)
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/onboardings", nil))
	fmt.Println(answer.Code, answer.Header().Get("Content-Type"))
	// Output: 401 application/problem+json
}
