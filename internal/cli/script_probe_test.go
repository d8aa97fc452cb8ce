package cli

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mailcheck-go/mailcheck/probe/probetest"
)

// TestProbeScripts tries the commands that connect to hosts.
//
// Beyond the commands of TestScripts, "mx SORT NAME [VARIABLE]" starts a mail host
// on 127.0.0.1 and puts its port in $PORT or the variable, its certificate in
// cert.pem and the authority in ca.pem; "policy SORT NAME FILE" starts a web
// server that gives out the file and puts its address in $POLICY.
func TestProbeScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script_probe",
		Setup: func(e *testscript.Env) error {
			e.Setenv("NO_COLOR", "1")
			prepareSchemas(e)
			e.Setenv("HOME", e.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "serve": serve, "dead": dead, "clean": clean, "columns": columns, "mx": mailHost, "policy": policyServer,
		},
	})
}

// testCA is one authority for all scripts.
var testCA = sync.OnceValues(func() (*probetest.CA, error) { return probetest.NewCA(time.Now()) })

func issue(ts *testscript.TestScript, sort, name string) *tls.Certificate {
	ca, err := testCA()
	ts.Check(err)
	spec := probetest.Spec{Names: []string{name}}
	switch sort {
	case "self-signed":
		spec.SelfSigned, spec.CommonName = true, name
	case "expired":
		spec.From, spec.To = time.Now().AddDate(0, 0, -90), time.Now().AddDate(0, 0, -2)
	case "wrong-name":
		spec.Names = []string{"www.example.net"}
	}
	c, err := ca.Issue(spec)
	ts.Check(err)
	write := func(file string, der []byte) {
		ts.Check(os.WriteFile(ts.MkAbs(file), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	}
	write("cert.pem", c.Certificate[0])
	write("ca.pem", ca.Root.Raw)
	return c
}

func mailHost(ts *testscript.TestScript, _ bool, args []string) {
	h := probetest.Host{Name: args[1], Certificate: issue(ts, args[0], args[1])}
	switch args[0] {
	case "no-starttls":
		h.Certificate = nil
	case "tarpit":
		h.On = map[probetest.Step]probetest.Action{probetest.Banner: probetest.Drip("220 slow host", 200*time.Millisecond)}
	case "endless":
		h.On = map[probetest.Step]probetest.Action{probetest.EHLO: probetest.Endless("250-MORE\r\n")}
	case "escapes":
		h.On = map[probetest.Step]probetest.Action{probetest.Banner: probetest.Say("220 mx \x1b[2J\x1b]0;evil\x07\u202e ready\r\n")}
	case "rejects":
		h.On = map[probetest.Step]probetest.Action{probetest.Banner: probetest.Then(probetest.Say("554 go away\r\n"), probetest.Drop())}
	case "injected":
		h.On = map[probetest.Step]probetest.Action{probetest.STARTTLS: probetest.Say("220 go ahead\r\n250 injected\r\n")}
	case "tls10":
		h.TLS = func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS10 }
	}
	s, err := probetest.Serve("127.0.0.1:0", h)
	ts.Check(err)
	ts.Defer(s.Close)
	name := "PORT"
	if len(args) > 2 {
		name = args[2]
	}
	ts.Setenv(name, fmt.Sprint(s.Addr().Port()))
}

func policyServer(ts *testscript.TestScript, _ bool, args []string) {
	body := ts.ReadFile(args[2])
	c := issue(ts, args[0], args[1])
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	srv := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(body, "redirect"):
			http.Redirect(w, r, "https://www.example.org/", http.StatusMovedPermanently)
		case r.URL.Path != "/.well-known/mta-sts.txt":
			http.NotFound(w, r)
		default:
			w.Header().Set("Content-Type", "text/plain")
			fmt.Fprint(w, body)
		}
	})}
	go srv.Serve(tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{*c}}))
	ts.Defer(func() { srv.Close() })
	ts.Setenv("POLICY", l.Addr().String())
}
