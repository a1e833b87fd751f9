package trusthubsim

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
)

// ControlPath is one of the simulator's own paths. They want no credentials, so the program that
// serves them listens on the loopback interface only.
type ControlPath struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	// Does says what it does, takes and answers.
	Does string `json:"does"`

	handle func(*Simulator, http.ResponseWriter, *http.Request)
}

// ControlPaths are the simulator's own paths.
func ControlPaths() []ControlPath {
	return []ControlPath{
		{
			http.MethodGet, "/_sim/", "lists these paths: `{\"paths\": […]}`",
			func(_ *Simulator, w http.ResponseWriter, _ *http.Request) {
				writeJSON(w, http.StatusOK, map[string]any{"paths": ControlPaths()})
			},
		},
		{
			http.MethodGet, "/_sim/switches", "lists every switch with its values, default and value: `{\"switches\": […]}`",
			func(s *Simulator, w http.ResponseWriter, _ *http.Request) {
				writeJSON(w, http.StatusOK, map[string]any{"switches": s.Switches()})
			},
		},
		{
			http.MethodGet, "/_sim/magic", "lists the data that is refused or rejected: `{\"magic\": […]}`",
			func(_ *Simulator, w http.ResponseWriter, _ *http.Request) {
				writeJSON(w, http.StatusOK, map[string]any{"magic": MagicData()})
			},
		},
		{http.MethodGet, "/_sim/settings", "the switches that can be changed while it runs, as one object", answerSettings},
		{
			http.MethodPatch, "/_sim/settings",
			"the switches to change, such as `{\"review\": \"manual\", \"callbacks\": {\"lost\": 1}}`; answers all of them, 400 if one makes no sense",
			patchSettings,
		},
		{http.MethodGet, "/_sim/state", "everything it holds, account by account, with what was deleted", answerState},
		{
			http.MethodPost, "/_sim/reviews/{BU}",
			"decides about a bundle: `{\"status\": \"twilio-rejected\", \"errors\": [{\"code\": 18602}]}`, `twilio-approved` or `in-review`;" +
				" beside it `failure_reason` (the words of the callback), `reason_in` (`errors`, `callback` or `evaluation`) and `valid_until`." +
				" What was decided may be decided again. 204; 404 for no such bundle; 409 where its status does not allow it",
			postReview,
		},
		{
			http.MethodGet, "/_sim/callbacks", "the deliveries of status callbacks, and how they are delivered: `{\"callbacks\": […], \"delivery\": {…}}`",
			answerCallbacks,
		},
		{http.MethodPost, "/_sim/callbacks", "how callbacks are delivered from now on: the switches under `callbacks`, without those left out", postCallbacks},
		{http.MethodPost, "/_sim/callbacks/{BU}", "calls back about the bundle's present status once more; 204, 404 for no such bundle", repeatCallback},
		{http.MethodGet, "/_sim/faults", "the faults, with how often each matched and struck: `{\"faults\": […]}`", answerFaults},
		{
			http.MethodPost, "/_sim/faults",
			"a fault: `effect`, which requests it hits (`method`, `path` with `*` for a segment and `**` for the rest, `account`), how often" +
				" (`skip`, `times`, `probability`), and `status`, `body`, `headers`, `delay`; 201 with its `id`",
			postFault,
		},
		{http.MethodDelete, "/_sim/faults", "removes all faults", deleteFaults},
		{http.MethodGet, "/_sim/requests", "the last requests to Twilio's paths: `{\"requests\": […]}`; `?since=N` leaves out those up to number N", answerRequests},
		{http.MethodDelete, "/_sim/requests", "empties the log of requests", deleteRequests},
		{
			http.MethodDelete, "/_sim/objects/{SID}",
			"deletes an object as somebody in Twilio's Console does, whatever the rules of the API; 204, 404 for no such object", deleteObject,
		},
	}
}

// controlRoutes serves them.
func (s *Simulator) controlRoutes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, p := range ControlPaths() {
		pattern := p.Method + " " + p.Path
		if p.Path == "/_sim/" {
			pattern += "{$}"
		}
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { p.handle(s, w, r) })
	}
	return mux
}

func answerSettings(s *Simulator, w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.Settings())
}

// patchSettings reads the body over the present settings, so that what it leaves out stays.
func patchSettings(s *Simulator, w http.ResponseWriter, r *http.Request) {
	settings := s.Settings()
	if !readJSON(w, r, &settings) {
		return
	}
	if err := s.SetSettings(settings); err != nil {
		controlError(w, http.StatusBadRequest, err)
		return
	}
	writeJSON(w, http.StatusOK, s.Settings())
}

func answerState(s *Simulator, w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.State())
}

func postReview(s *Simulator, w http.ResponseWriter, r *http.Request) {
	var decision Decision
	if !readJSON(w, r, &decision) {
		return
	}
	switch err := s.Review(r.PathValue("BU"), decision); {
	case errors.Is(err, ErrNoSuchBundle):
		controlError(w, http.StatusNotFound, err)
	case errors.Is(err, ErrBadDecision):
		controlError(w, http.StatusBadRequest, err)
	case err != nil:
		controlError(w, http.StatusConflict, err)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func answerCallbacks(s *Simulator, w http.ResponseWriter, _ *http.Request) {
	records := append([]CallbackRecord{}, s.CallbackRecords()...)
	writeJSON(w, http.StatusOK, map[string]any{"callbacks": records, "delivery": s.Settings().Callbacks})
}

func postCallbacks(s *Simulator, w http.ResponseWriter, r *http.Request) {
	var callbacks Callbacks
	if !readJSON(w, r, &callbacks) {
		return
	}
	settings := s.Settings()
	settings.Callbacks = callbacks
	if err := s.SetSettings(settings); err != nil {
		controlError(w, http.StatusBadRequest, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func repeatCallback(s *Simulator, w http.ResponseWriter, r *http.Request) {
	if err := s.RepeatCallback(r.PathValue("BU")); err != nil {
		controlError(w, http.StatusNotFound, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func answerFaults(s *Simulator, w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"faults": s.Faults()})
}

func postFault(s *Simulator, w http.ResponseWriter, r *http.Request) {
	var f Fault
	if !readJSON(w, r, &f) {
		return
	}
	id, err := s.AddFault(f)
	if err != nil {
		controlError(w, http.StatusBadRequest, err)
		return
	}
	f.ID, f.Seen, f.Hits = id, 0, 0
	writeJSON(w, http.StatusCreated, f)
}

func deleteFaults(s *Simulator, w http.ResponseWriter, _ *http.Request) {
	s.ClearFaults()
	w.WriteHeader(http.StatusNoContent)
}

func answerRequests(s *Simulator, w http.ResponseWriter, r *http.Request) {
	since, err := strconv.Atoi("0" + r.URL.Query().Get("since"))
	if err != nil {
		controlError(w, http.StatusBadRequest, err)
		return
	}
	requests := s.Requests()
	for len(requests) > 0 && requests[0].Number <= since {
		requests = requests[1:]
	}
	writeJSON(w, http.StatusOK, map[string]any{"requests": requests})
}

func deleteRequests(s *Simulator, w http.ResponseWriter, _ *http.Request) {
	s.ResetRequests()
	w.WriteHeader(http.StatusNoContent)
}

func deleteObject(s *Simulator, w http.ResponseWriter, r *http.Request) {
	if err := s.DeleteInConsole(r.PathValue("SID")); err != nil {
		controlError(w, http.StatusNotFound, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// readJSON reads a body that has no fields but those of into; otherwise it answers 400.
func readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		controlError(w, http.StatusBadRequest, err)
		return false
	}
	return true
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func controlError(w http.ResponseWriter, status int, err error) {
	writeJSON(w, status, map[string]string{"error": err.Error()})
}
