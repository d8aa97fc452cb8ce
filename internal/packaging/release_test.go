package packaging

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

type goreleaser struct {
	Version int
	Before  struct{ Hooks []string }
	Builds  []struct {
		Main, Binary        string
		Env, Flags, LDFlags []string
		Goos, Goarch        []string
		ModTimestamp        string `yaml:"mod_timestamp"`
	}
	Archives []struct {
		NameTemplate string `yaml:"name_template"`
		Files        []struct{ Src string }
	}
	NFPMs []struct {
		Formats  []string
		Scripts  map[string]string
		Contents []struct{ Src, Dst, Packager, Type string }
	}
	Dockers []struct {
		Dockerfile string
		ExtraFiles []string          `yaml:"extra_files"`
		BuildArgs  map[string]string `yaml:"build_args"`
	} `yaml:"dockers_v2"`
	Checksum struct {
		NameTemplate string `yaml:"name_template"`
		Algorithm    string
	}
}

func config(t *testing.T) goreleaser {
	t.Helper()
	var c goreleaser
	if err := yaml.Unmarshal([]byte(text(t, ".goreleaser.yaml")), &c); err != nil {
		t.Fatal(err)
	}
	if c.Version != 2 || len(c.Builds) != 1 || len(c.Archives) != 1 || len(c.NFPMs) != 1 || len(c.Dockers) != 1 {
		t.Fatalf("the configuration has another shape: %+v", c)
	}
	return c
}

// TestReleaseBuild compares the build of a release with that of the Makefile.
func TestReleaseBuild(t *testing.T) {
	b, mk := config(t).Builds[0], text(t, "Makefile")
	if b.Main != "./cmd/mailcheck" || !slices.Contains(b.Env, "CGO_ENABLED=0") || !slices.Contains(b.Flags, "-trimpath") || b.ModTimestamp != "{{ .CommitTimestamp }}" {
		t.Errorf("build %+v", b)
	}
	flag := regexp.MustCompile(`-X (\S+)=`)
	ours, theirs := flag.FindStringSubmatch(strings.Join(b.LDFlags, " ")), flag.FindStringSubmatch(mk)
	image := flag.FindStringSubmatch(text(t, "Dockerfile"))
	if ours == nil || theirs == nil || image == nil || ours[1] != theirs[1] || ours[1] != image[1] {
		t.Errorf("the version is set in %v, in the Makefile in %v, in the image in %v", ours, theirs, image)
	}
	// A name that does not exist is no error for the linker: the binary would say "devel".
	pkg, name, _ := strings.Cut(strings.TrimPrefix(ours[1], "github.com/mailcheck-go/mailcheck/"), ".")
	found := false
	paths, _ := filepath.Glob(filepath.Join(root(t), pkg, "*.go"))
	for _, path := range paths {
		data, err := os.ReadFile(path)
		found = found || err == nil && regexp.MustCompile(`(?m)^var `+name+` = `).Match(data)
	}
	if !found {
		t.Errorf("%s has no variable %s", pkg, name)
	}
	if !slices.Equal(b.Goos, []string{"linux", "darwin", "windows", "freebsd"}) || !slices.Equal(b.Goarch, []string{"amd64", "arm64"}) {
		t.Errorf("built for %v and %v", b.Goos, b.Goarch)
	}
}

// TestReleaseFiles refuses a configuration that names what is not there.
func TestReleaseFiles(t *testing.T) {
	c := config(t)
	var names []string
	for _, f := range c.Archives[0].Files {
		names = append(names, f.Src)
	}
	for _, f := range c.NFPMs[0].Contents {
		names = append(names, f.Src)
	}
	for _, s := range c.NFPMs[0].Scripts {
		names = append(names, s)
	}
	names = append(names, c.Dockers[0].Dockerfile)
	names = append(names, c.Dockers[0].ExtraFiles...)
	for _, h := range c.Before.Hooks {
		if script, ok := strings.CutPrefix(h, "sh "); ok {
			names = append(names, script)
		}
	}
	prepare := text(t, "contrib/release/prepare.sh")
	for _, name := range names {
		if made, ok := strings.CutPrefix(name, "bin/release/"); ok { // by prepare.sh
			dir, file := filepath.Split(made)
			if !strings.Contains(prepare, "$out/"+dir) || !strings.Contains(file, "*") && !strings.Contains(prepare, "$out/"+made) {
				t.Errorf("prepare.sh does not make %s", name)
			}
			continue
		}
		if found, err := filepath.Glob(filepath.Join(root(t), name)); err != nil || len(found) == 0 {
			t.Errorf("there is no %s", name)
		}
	}
	// What the units need is in the package, at the path that they name.
	var to []string
	for _, f := range c.NFPMs[0].Contents {
		to = append(to, f.Dst)
	}
	for _, u := range units(t) {
		for _, line := range slices.Concat(u["Service"]["ExecStart"], u["Service"]["EnvironmentFile"]) {
			path, _, _ := strings.Cut(line, " ")
			if path != "/usr/bin/mailcheck" && !slices.Contains(to, path) {
				t.Errorf("a unit needs %s, which no package has", path)
			}
		}
	}
	// The action downloads what the release makes.
	install := text(t, "contrib/action/install.sh")
	if c.Archives[0].NameTemplate != "mailcheck_{{ .Version }}_{{ .Os }}_{{ .Arch }}" || !strings.Contains(install, "archive=mailcheck_${INPUT_VERSION#v}_${os}_$arch.tar.gz") {
		t.Error("the action and the release differ in the names of archives")
	}
	if c.Checksum.NameTemplate != "checksums.txt" || c.Checksum.Algorithm != "sha256" {
		t.Errorf("checksums %+v", c.Checksum)
	}
}

// TestScripts lets the shell read every script.
func TestScripts(t *testing.T) {
	for _, dir := range []string{"contrib", "internal/packaging"} {
		err := filepath.WalkDir(filepath.Join(root(t), dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".sh" {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name := "sh"
			if strings.HasPrefix(string(data), "#!/usr/bin/env bash\n") {
				name = "bash"
			}
			if o := run(t, t.TempDir(), nil, shell(t, name), "-n", path); o.status != 0 {
				t.Errorf("%s: %s", path, o.err)
			}
			if !strings.Contains(string(data), "\nset -e") {
				t.Errorf("%s goes on after an error", path)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestDockerfile reads the stages of the image.
func TestDockerfile(t *testing.T) {
	var stages [][]string // instructions of each
	joined := strings.ReplaceAll(text(t, "Dockerfile"), "\\\n", " ")
	names := map[string]bool{}
	for line := range strings.Lines(joined) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		if word == "FROM" {
			stages = append(stages, nil)
			f := strings.Fields(rest)
			if base := f[slices.IndexFunc(f, func(s string) bool { return !strings.HasPrefix(s, "--") })]; strings.Contains(base, "/") {
				t.Errorf("the stage %q names a host", rest)
			}
			if len(f) > 2 {
				names[f[len(f)-1]] = true
			}
		}
		if len(stages) > 0 {
			stages[len(stages)-1] = append(stages[len(stages)-1], line)
		}
	}
	last := stages[len(stages)-1]
	if last[0] != "FROM scratch" {
		t.Errorf("the image is %s", last[0])
	}
	var user, entry string
	for _, line := range last {
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "USER":
			user = rest
		case "ENTRYPOINT":
			entry = rest
		case "RUN", "ADD":
			t.Errorf("%s in an image without a shell, or of something from afar", line)
		case "COPY":
			f := strings.Fields(rest)
			if from, ok := strings.CutPrefix(f[0], "--from="); ok {
				if !names[from] {
					t.Errorf("there is no stage %s", from)
				}
				continue
			}
			if _, err := os.Stat(filepath.Join(root(t), f[len(f)-2])); err != nil {
				t.Error(err)
			}
		}
	}
	if !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(user) {
		t.Errorf("USER %q is root, or no number", user)
	}
	if entry != `["/usr/bin/mailcheck"]` {
		t.Errorf("ENTRYPOINT %s", entry)
	}
	if arg := config(t).Dockers[0].BuildArgs["BINARY"]; !names[arg] {
		t.Errorf("the release wants the stage %q", arg)
	}
	// An image from scratch has no roots of TLS but those of the binary.
	if !strings.Contains(text(t, "cmd/mailcheck/main.go"), `_ "golang.org/x/crypto/x509roots/fallback"`) {
		t.Error("cmd/mailcheck does not import golang.org/x/crypto/x509roots/fallback")
	}
}

// TestDockerignore refuses to ignore what the build of the image needs.
func TestDockerignore(t *testing.T) {
	var dirs []string
	for line := range strings.Lines(text(t, ".dockerignore")) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' && !strings.ContainsAny(line, "*!") {
			dirs = append(dirs, line)
		}
	}
	for _, secret := range []string{".git", "**/*.pem", "**/*.key"} {
		if !strings.Contains(text(t, ".dockerignore"), secret+"\n") {
			t.Errorf("%s is not ignored", secret)
		}
	}
	err := filepath.WalkDir(root(t), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root(t), path)
		if d.IsDir() {
			if slices.Contains(dirs, rel) || d.Name() == "testdata" || strings.HasPrefix(rel, "internal/lab") {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range regexp.MustCompile(`(?m)^//go:embed (.*)$`).FindAllStringSubmatch(string(data), -1) {
			for _, name := range strings.Fields(m[1]) {
				if ext := filepath.Ext(name); ext == ".pem" || ext == ".key" || strings.HasPrefix(name, "testdata") {
					t.Errorf("%s embeds %s, which .dockerignore leaves out", rel, name)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestExamples keeps examples short enough to be read at a glance.
func TestExamples(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(root(t), "examples/*/main.go"))
	if err != nil || len(paths) < 5 {
		t.Fatalf("%d examples, error %v", len(paths), err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(data), "\n"); n > 100 {
			t.Errorf("%s has %d lines", path, n)
		}
		if _, err := os.Stat(filepath.Join(filepath.Dir(path), "main_test.go")); err != nil {
			t.Error(err)
		}
		if strings.Contains(string(data), "/internal/") {
			t.Errorf("%s uses what a stranger cannot", path)
		}
	}
}

// TestDocs refuses targets of make that do not exist.
func TestDocs(t *testing.T) {
	mk := text(t, "Makefile")
	for _, page := range []string{"CONTRIBUTING.md", "SECURITY.md"} {
		for _, m := range regexp.MustCompile("(?m)(?:^|`)make ([a-z-]+)").FindAllStringSubmatch(text(t, page), -1) {
			if !strings.Contains(mk, "\n"+m[1]+":") {
				t.Errorf("%s tells of make %s, which the Makefile does not have", page, m[1])
			}
		}
		for _, m := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(text(t, page), -1) {
			if _, err := os.Stat(filepath.Join(root(t), m[1])); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}
