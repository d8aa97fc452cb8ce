//go:build story

package story

import (
	"os"
	"regexp"
	"strings"
)

// validator gives OpenDKIM this world's root: Debian's validates on its own, from
// the real root on.
func (h *host) validator() {
	h.w.t.Helper()
	h.must("mount", "--bind", h.w.dns.anchor, "/usr/share/dns/root.key")
	h.write("/etc/opendkim-resolver.conf", `server:
  local-zone: "example." nodefault
forward-zone:
  name: "."
  forward-addr: `+resolverIP+`
`, 0o644)
	h.add("/etc/opendkim.conf", "ResolverConfiguration /etc/opendkim-resolver.conf\n")
}

// systemctl does what the unit files of Debian do, as no systemd runs in a machine.
const systemctl = `#!/bin/sh
set -eu
case "$1 $2" in
"restart opendkim")
	pid=$(cat /run/opendkim/opendkim.pid 2>/dev/null || true)
	if [ -n "$pid" ]; then
		kill "$pid" 2>/dev/null || true
		while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
	fi
	install -d -o opendkim -g opendkim /run/opendkim
	/usr/sbin/opendkim </dev/null >/dev/null 2>&1 ;;
*)
	echo "systemctl $*: not known here" >&2
	exit 1 ;;
esac
`

// systemd puts a systemctl where only this machine sees it.
func (h *host) systemd() {
	h.w.t.Helper()
	layer := h.dir + "/layers/local"
	for _, d := range []string{layer, layer + ".work"} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			h.w.t.Fatal(err)
		}
	}
	h.must("mount", "-t", "overlay", "overlay", "-o", "lowerdir=/usr/local/bin,upperdir="+layer+",workdir="+layer+".work", "/usr/local/bin")
	h.write("/usr/local/bin/systemctl", systemctl, 0o755)
	if got := strings.TrimSpace(h.must("sh", "-c", "command -v systemctl")); got != "/usr/local/bin/systemctl" {
		h.w.t.Fatalf("systemctl is %s", got)
	}
}

// manual is what a step of a plan has a person do.
type manual struct{ Title, Text string }

// fileOf is the end of a title that names a file, its mode and its owner.
var fileOf = regexp.MustCompile(` \((/\S+) (0[0-7]{3}) (\S+:\S+)\)$`)

// follow does what a person is told: lines of a file are put there, in place of
// those that set the same; all else is run as it is printed.
func (h *host) follow(m manual) string {
	h.w.t.Helper()
	f := fileOf.FindStringSubmatch(m.Title)
	if f == nil {
		return h.sh(m.Text)
	}
	path, mode, owner := f[1], f[2], f[3]
	set := map[string]bool{}
	if strings.HasSuffix(path, "/opendkim.conf") {
		set = map[string]bool{"domain": true, "selector": true, "keyfile": true}
	}
	word := func(line string) string {
		w, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(line, "=", " "), "\t", " ")), " ")
		return w
	}
	for line := range strings.Lines(m.Text) {
		set[word(strings.TrimSpace(line))] = true
	}
	var keep strings.Builder
	old, _ := h.command("cat", path).Output() // most are new
	for line := range strings.Lines(string(old)) {
		if strings.TrimSpace(line) == "" || line[0] == '#' || !set[word(strings.TrimSpace(line))] {
			keep.WriteString(line)
		}
	}
	h.w.note("%s: %s gets\n%s", h.name, path, strings.TrimSpace(m.Text))
	h.write(path, keep.String()+m.Text, 0o600)
	h.must("chmod", mode, path)
	h.must("chown", owner, path)
	return ""
}
