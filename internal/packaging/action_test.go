package packaging

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// job runs audit.sh as a runner does.
type job struct {
	outcome
	dir, outputs, summary string
}

func audit(t *testing.T, inputs map[string]string) job {
	t.Helper()
	bash, dir := shell(t, "bash"), t.TempDir()
	env := []string{
		"MAILCHECK=" + program(t, dir),
		"GITHUB_OUTPUT=" + put(t, filepath.Join(dir, "output"), ""),
		"GITHUB_STEP_SUMMARY=" + put(t, filepath.Join(dir, "summary"), ""),
	}
	if _, ok := inputs["ARGS"]; !ok {
		env = append(env, "INPUT_ARGS="+strings.Join(zones(t), "\n"))
	}
	for k, v := range inputs {
		env = append(env, "INPUT_"+k+"="+v)
	}
	j := job{outcome: run(t, dir, env, bash, filepath.Join(root(t), "contrib/action/audit.sh")), dir: dir}
	for name, to := range map[string]*string{"output": &j.outputs, "summary": &j.summary} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		*to = string(data)
	}
	return j
}

func TestActionAudit(t *testing.T) {
	for _, test := range []struct {
		name    string
		inputs  map[string]string
		status  int    // of the step
		code    string // the output
		command string // what the runner is told
		summary string
	}{
		{"clean", map[string]string{"DOMAINS": "good.example", "SELECTORS": "mail"}, 0, "0", "", "good.example"},
		{"findings", map[string]string{"DOMAINS": "good.example\nbad.example"}, 1, "1", "::error title=mailcheck::There are findings at or above error", "DMARC001"},
		{"findings that are allowed", map[string]string{"DOMAINS": "good.example", "FAIL_ON": "none", "SELECTORS": "mail"}, 0, "0", "", "good.example"},
		{"unknown is a warning", map[string]string{"DOMAINS": "none.example"}, 0, "2", "::warning title=mailcheck::Something could not be known", "none.example"},
		{"unknown fails", map[string]string{"DOMAINS": "none.example", "ON_UNKNOWN": "fail"}, 2, "2", "::error title=mailcheck::Something", "none.example"},
		{"unknown is ignored", map[string]string{"DOMAINS": "none.example", "ON_UNKNOWN": "ignore"}, 0, "2", "", "none.example"},
		{"no domain and no configuration", nil, 3, "3", "::error title=mailcheck::mailcheck ended with status 3", ""},
		{"an input that is none", map[string]string{"DOMAINS": "good.example", "ON_UNKNOWN": "maybe"}, 3, "3", "", ""},
		{"severity that is none", map[string]string{"DOMAINS": "good.example", "FAIL_ON": "$(touch owned)"}, 3, "3", "::error title=mailcheck::mailcheck ended with status 3", ""},
		{"a configuration that is not there", map[string]string{"CONFIG": "mailcheck.yaml"}, 3, "3", "::error title=mailcheck::mailcheck ended with status 3", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			j := audit(t, test.inputs)
			if j.status != test.status || !strings.Contains(j.outputs, "exit-code="+test.code+"\n") {
				t.Errorf("status %d, outputs %q, want %d and %s\n%s%s", j.status, j.outputs, test.status, test.code, j.out, j.err)
			}
			if !strings.Contains(j.out, test.command) || test.command == "" && strings.Contains(j.out, "title=mailcheck") {
				t.Errorf("want %q in\n%s", test.command, j.out)
			}
			if !strings.Contains(j.summary, test.summary) || test.summary == "" && j.summary != "" {
				t.Errorf("want %q in the summary\n%s", test.summary, j.summary)
			}
		})
	}
}

// TestActionHostile has inputs and DNS records that a shell or a runner would obey.
func TestActionHostile(t *testing.T) {
	for _, hostile := range []string{"$(touch owned)", "`touch owned`", "; touch owned", "good.example;touch owned", "--output-file=owned", "message", "*", "a\nexit-code=0"} {
		for _, input := range []string{"DOMAINS", "SELECTORS", "ADDRESSES", "PROFILES", "CONFIG", "FAIL_ON", "ARGS"} {
			t.Run(input+" "+hostile, func(t *testing.T) {
				t.Parallel()
				inputs := map[string]string{"DOMAINS": "good.example"}
				inputs[input] = hostile
				if input == "ARGS" {
					inputs[input] = strings.Join(append(zones(t), hostile), "\n")
				}
				j := audit(t, inputs)
				// What the caller gives in args is an argument: a file may be written.
				if _, err := os.Lstat(filepath.Join(j.dir, "owned")); err == nil && (input != "ARGS" || !strings.HasPrefix(hostile, "--")) {
					t.Fatal("the input was obeyed")
				}
				if n := strings.Count(j.outputs, "exit-code="); n != 1 {
					t.Errorf("outputs %q", j.outputs)
				}
				if strings.ContainsAny(hostile, ";$`") && j.status != 3 {
					t.Errorf("status %d, want 3: %s", j.status, j.err)
				}
			})
		}
	}
	t.Run("DNS", func(t *testing.T) {
		t.Parallel()
		j := audit(t, map[string]string{"DOMAINS": "bad.example"})
		stop := regexp.MustCompile(`(?s)^::stop-commands::([0-9a-f]{32})\n(.*)\n::([0-9a-f]{32})::\n(.*)$`).FindStringSubmatch(j.out)
		if stop == nil || stop[1] != stop[3] {
			t.Fatalf("the report is not kept from the runner:\n%s", j.out)
		}
		if !strings.Contains(stop[2], "owned") {
			t.Error("the record of the stranger is not in the report: the test shows nothing")
		}
		if strings.Contains(stop[4], "owned") || strings.Contains(j.outputs, "owned") {
			t.Errorf("the stranger speaks to the runner: %q %q", stop[4], j.outputs)
		}
		if _, err := os.Lstat(filepath.Join(j.dir, "owned")); err == nil {
			t.Error("the record was obeyed")
		}
	})
}

func TestActionSARIF(t *testing.T) {
	j := audit(t, map[string]string{"DOMAINS": "bad.example", "SARIF_FILE": "out file.sarif"})
	if j.status != 1 || !strings.Contains(j.outputs, "sarif-file=out file.sarif\n") {
		t.Fatalf("status %d, outputs %q: %s", j.status, j.outputs, j.err)
	}
	data, err := os.ReadFile(filepath.Join(j.dir, "out file.sarif"))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Version string
		Runs    []struct{ Results []any }
	}
	if err := json.Unmarshal(data, &doc); err != nil || doc.Version != "2.1.0" || len(doc.Runs) != 1 || len(doc.Runs[0].Results) == 0 {
		t.Errorf("%v: %.300s", err, data)
	}
	j = audit(t, map[string]string{"DOMAINS": "good.example", "SARIF_FILE": "a\nexit-code=0"})
	if j.status != 3 || j.outputs != "exit-code=3\n" {
		t.Errorf("a line break in the path: status %d, outputs %q", j.status, j.outputs)
	}
}

// TestActionInstall downloads a release from a server on loopback.
func TestActionInstall(t *testing.T) {
	bash := shell(t, "bash")
	shell(t, "curl")
	const archive = "mailcheck_1.2.3_linux_amd64.tar.gz"
	packed := release(t, "mailcheck_1.2.3_linux_amd64/mailcheck", "the program")
	sum := fmt.Sprintf("%x  %s\n", sha256.Sum256(packed), archive)
	for _, test := range []struct {
		name, version, sums, want string
	}{
		{"good", "v1.2.3", strings.Repeat("0", 64) + "  other.tar.gz\n" + sum, ""},
		{"another archive", "v1.2.3", strings.Repeat("0", 64) + "  " + archive + "\n", "not what the release says"},
		{"not in the list", "v1.2.3", strings.Repeat("0", 64) + "  other.tar.gz\n", "has no " + archive},
		{"no such release", "v9.9.9", sum, "cannot download"},
		{"no version", "$(touch owned)", sum, "has to look like"},
		{"a way out of the path", "v1.2.3/../../x", sum, "has to look like"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			mux := http.NewServeMux()
			const base = "/owner/repo/releases/download/v1.2.3/"
			mux.HandleFunc(base+"checksums.txt", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, test.sums) })
			mux.HandleFunc(base+archive, func(w http.ResponseWriter, _ *http.Request) { w.Write(packed) })
			server := httptest.NewTLSServer(mux)
			defer server.Close()
			dir := t.TempDir()
			ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
			r := run(t, dir, []string{
				"GITHUB_SERVER_URL=" + server.URL, "ACTION_REPOSITORY=owner/repo", "ACTION_PATH=" + dir,
				"CURL_CA_BUNDLE=" + put(t, filepath.Join(dir, "ca.pem"), string(ca)), "no_proxy=*",
				"RUNNER_TEMP=" + dir, "RUNNER_OS=Linux", "RUNNER_ARCH=X64",
				"GITHUB_OUTPUT=" + put(t, filepath.Join(dir, "output"), ""), "INPUT_VERSION=" + test.version,
			}, bash, filepath.Join(root(t), "contrib/action/install.sh"))
			bin := filepath.Join(dir, "mailcheck-action", "mailcheck")
			got, _ := os.ReadFile(bin)
			outputs, _ := os.ReadFile(filepath.Join(dir, "output"))
			if test.want == "" {
				if r.status != 0 || string(got) != "the program" || string(outputs) != "mailcheck="+bin+"\n" {
					t.Errorf("status %d, %q, outputs %q: %s", r.status, got, outputs, r.err)
				}
			} else if r.status != 3 || !strings.Contains(r.err, test.want) || len(got) > 0 || len(outputs) > 0 {
				t.Errorf("status %d, %q, outputs %q, want %q: %s", r.status, got, outputs, test.want, r.err)
			}
		})
	}
}

func release(t *testing.T, name, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := errIn(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func errIn(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestActionGrammar reads action.yml as the runner does, and refuses what would let an
// input be shell.
func TestActionGrammar(t *testing.T) {
	var action struct {
		Name, Description, Author string
		Branding                  struct{ Icon, Color string }
		Inputs                    map[string]struct {
			Description, Default string
			Required             bool
		}
		Outputs map[string]struct{ Description, Value string }
		Runs    struct {
			Using string
			Steps []struct {
				Name, ID, If, Uses, Shell, Run string
				With, Env                      map[string]string
			}
		}
	}
	source := text(t, "action.yml")
	dec := yaml.NewDecoder(strings.NewReader(source))
	dec.KnownFields(true)
	if err := dec.Decode(&action); err != nil {
		t.Fatal(err)
	}
	if action.Name == "" || action.Description == "" || action.Runs.Using != "composite" || len(action.Runs.Steps) == 0 {
		t.Errorf("a required key is missing: %+v", action)
	}
	var scripts string
	ids := []string{}
	for _, s := range action.Runs.Steps {
		ids = append(ids, s.ID)
		switch {
		case (s.Uses == "") == (s.Run == ""):
			t.Errorf("step %q has to have either uses or run", s.Name)
		case s.Uses != "" && !regexp.MustCompile(`^[\w.-]+/[\w.-]+@v?[0-9a-f][0-9a-f.]*$`).MatchString(s.Uses):
			t.Errorf("step %q uses %s, which is not fixed", s.Name, s.Uses)
		case s.Run != "" && s.Shell != "bash":
			t.Errorf("step %q has no shell, which a composite action needs", s.Name)
		}
		if strings.Contains(s.Run, "${{") {
			t.Errorf("step %q puts a value into its shell text: %s", s.Name, s.Run)
		}
		if m := regexp.MustCompile(`contrib/action/\w+\.sh`).FindString(s.Run); m != "" {
			script := text(t, m)
			scripts += script
			for k := range s.Env {
				if !strings.Contains(script+s.Run, k) {
					t.Errorf("%s does not read %s", m, k)
				}
			}
			for _, m := range regexp.MustCompile(`INPUT_[A-Z_]+`).FindAllString(script, -1) {
				if _, ok := s.Env[m]; !ok {
					t.Errorf("step %q does not set %s", s.Name, m)
				}
			}
		}
	}
	for name, in := range action.Inputs {
		if in.Description == "" {
			t.Errorf("input %s has no description", name)
		}
		if !strings.Contains(source, "inputs."+name+" ") {
			t.Errorf("input %s is not used", name)
		}
	}
	for _, m := range regexp.MustCompile(`inputs\.([\w-]+)`).FindAllStringSubmatch(source, -1) {
		if _, ok := action.Inputs[m[1]]; !ok {
			t.Errorf("inputs.%s does not exist", m[1])
		}
	}
	for name, out := range action.Outputs {
		m := regexp.MustCompile(`^\$\{\{ steps\.([\w-]+)\.outputs\.([\w-]+) \}\}$`).FindStringSubmatch(out.Value)
		if m == nil || !slices.Contains(ids, m[1]) || !strings.Contains(scripts, m[2]+"=") {
			t.Errorf("output %s is %s, which nothing sets", name, out.Value)
		}
	}
	if strings.Contains(scripts, "eval ") {
		t.Error("a script of the action evaluates text")
	}
}
