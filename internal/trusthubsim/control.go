package trusthubsim

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
)

// controlRoutes are the simulator's own paths. They want no credentials, so the program that serves them listens on the
// loopback interface only.
//
//	GET    /_sim/state          everything it holds: State
//	GET    /_sim/requests       {"requests": [Request]}; ?since=N leaves out those up to number N
//	DELETE /_sim/requests       empties the log
//	POST   /_sim/reviews/{BU}   a Decision; 204, 404 for no such bundle, 409 where its status does not allow it. What was
//	                            decided may be decided again: an approval taken back, or its valid_until set
//	GET    /_sim/faults         {"faults": [Fault]}, with how often each matched and struck
//	POST   /_sim/faults         a Fault; 201 with its id
//	DELETE /_sim/faults         removes all
//	GET    /_sim/callbacks      {"callbacks": [CallbackRecord], "delivery": Callbacks}
//	POST   /_sim/callbacks      a Callbacks, in force from now on
//	GET    /_sim/settings       Settings: the switches of the command line that may be changed
//	PATCH  /_sim/settings       the fields of Settings to change; answers all of them, 400 if one makes no sense
//	DELETE /_sim/objects/{SID}  deletes as somebody in Twilio's Console does, see DeleteInConsole; 204, 404 for no such object
func (s *Simulator) controlRoutes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_sim/state", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, s.State())
	})
	mux.HandleFunc("GET /_sim/requests", s.controlRequests)
	mux.HandleFunc("DELETE /_sim/requests", func(w http.ResponseWriter, _ *http.Request) {
		s.ResetRequests()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /_sim/reviews/{bundle}", s.controlReview)
	mux.HandleFunc("GET /_sim/faults", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"faults": s.Faults()})
	})
	mux.HandleFunc("POST /_sim/faults", s.controlFault)
	mux.HandleFunc("DELETE /_sim/faults", func(w http.ResponseWriter, _ *http.Request) {
		s.ClearFaults()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /_sim/callbacks", func(w http.ResponseWriter, _ *http.Request) {
		records := s.CallbackRecords()
		writeJSON(w, http.StatusOK, map[string]any{"callbacks": append([]CallbackRecord{}, records...), "delivery": s.Settings().Callbacks})
	})
	mux.HandleFunc("POST /_sim/callbacks", func(w http.ResponseWriter, r *http.Request) {
		var callbacks Callbacks
		if !readJSON(w, r, &callbacks) {
			return
		}
		if err := callbacks.check(); err != nil {
			controlError(w, http.StatusBadRequest, err)
			return
		}
		s.SetCallbacks(callbacks)
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /_sim/settings", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, s.Settings())
	})
	mux.HandleFunc("PATCH /_sim/settings", s.controlSettings)
	mux.HandleFunc("DELETE /_sim/objects/{sid}", func(w http.ResponseWriter, r *http.Request) {
		if err := s.DeleteInConsole(r.PathValue("sid")); err != nil {
			controlError(w, http.StatusNotFound, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

func (s *Simulator) controlRequests(w http.ResponseWriter, r *http.Request) {
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

func (s *Simulator) controlReview(w http.ResponseWriter, r *http.Request) {
	var decision Decision
	if !readJSON(w, r, &decision) {
		return
	}
	switch err := s.Review(r.PathValue("bundle"), decision); {
	case errors.Is(err, ErrNoSuchBundle):
		controlError(w, http.StatusNotFound, err)
	case err != nil:
		controlError(w, http.StatusConflict, err)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// controlSettings reads the body over the present settings, so that what it leaves out stays.
func (s *Simulator) controlSettings(w http.ResponseWriter, r *http.Request) {
	settings := s.Settings()
	if !readJSON(w, r, &settings) {
		return
	}
	if err := s.SetSettings(settings); err != nil {
		controlError(w, http.StatusBadRequest, err)
		return
	}
	writeJSON(w, http.StatusOK, settings)
}

func (s *Simulator) controlFault(w http.ResponseWriter, r *http.Request) {
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
