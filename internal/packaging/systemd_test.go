package packaging

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// unit is a unit file: section, key, values in order.
type unit map[string]map[string][]string

func (u unit) last(section, key string) string {
	if v := u[section][key]; len(v) > 0 {
		return v[len(v)-1]
	}
	return ""
}

func units(t *testing.T) map[string]unit {
	t.Helper()
	out := map[string]unit{}
	for _, pattern := range []string{"*.service", "*.timer"} {
		paths, err := filepath.Glob(filepath.Join(root(t), "contrib/systemd", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			u, section := unit{}, ""
			for i, line := range strings.Split(text(t, "contrib/systemd/"+filepath.Base(path)), "\n") {
				if line == "" || strings.HasPrefix(line, "#") {
					continue
				}
				if s, ok := strings.CutPrefix(line, "["); ok {
					section = strings.TrimSuffix(s, "]")
					u[section] = map[string][]string{}
					continue
				}
				key, value, ok := strings.Cut(line, "=")
				if !ok || section == "" {
					t.Fatalf("%s:%d: %q is no setting", filepath.Base(path), i+1, line)
				}
				u[section][key] = append(u[section][key], value)
			}
			out[filepath.Base(path)] = u
		}
	}
	if len(out) == 0 {
		t.Fatal("there are no units")
	}
	return out
}

// machine is a directory in place of the paths that the units name.
type machine struct{ dir, mailcheck string }

func newMachine(t *testing.T) machine {
	dir := t.TempDir()
	m := machine{dir: dir, mailcheck: program(t, dir)}
	for _, d := range []string{"state", "credentials", "mail"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	put(t, filepath.Join(dir, "credentials/imap"), "secret\n")
	return m
}

// start runs a unit as systemd does, as far as the command line goes, with flags added
// behind the words of the command.
func (m machine) start(t *testing.T, u unit, instance, source string, flags ...string) outcome {
	t.Helper()
	line := u.last("Service", "ExecStart")
	if n := len(u["Service"]["ExecStart"]); n != 1 {
		t.Fatalf("%d ExecStart", n)
	}
	line = strings.NewReplacer("/usr/bin/mailcheck", m.mailcheck, "/var/lib/mailcheck", m.dir+"/state", "%i", instance,
		"${CREDENTIALS_DIRECTORY}", m.dir+"/credentials", "${SOURCE}", source).Replace(line)
	if strings.ContainsAny(line, "%$'\"\\;") {
		t.Fatalf("%q needs more of systemd than this test knows", line)
	}
	words := strings.Fields(line)
	at := slices.IndexFunc(words, func(s string) bool { return strings.HasPrefix(s, "-") })
	return run(t, m.dir, []string{"XDG_STATE_HOME=" + m.dir + "/state"}, words[0], slices.Concat(words[1:at], flags, words[at:])...)
}

// report is an aggregate report of today about good.example, in which all mail passes.
func report(to string, pass string) string {
	end := time.Now().UTC().Truncate(24*time.Hour).Unix() - 1
	return fmt.Sprintf(`<feedback><report_metadata><org_name>receiver.example</org_name><email>dmarc@receiver.example</email><report_id>%s</report_id>
<date_range><begin>%d</begin><end>%d</end></date_range></report_metadata>
<policy_published><domain>good.example</domain><p>reject</p></policy_published>
<record><row><source_ip>192.0.2.10</source_ip><count>900</count><policy_evaluated><disposition>none</disposition><dkim>%s</dkim><spf>%s</spf></policy_evaluated></row>
<identifiers><header_from>good.example</header_from></identifiers>
<auth_results><spf><domain>good.example</domain><result>%s</result></spf></auth_results></record></feedback>`, to, end-86399, end, pass, pass, pass)
}

// TestUnitsRun runs the command line of every service.
func TestUnitsRun(t *testing.T) {
	all, m, dns := units(t), newMachine(t), zones(t)
	ran := map[string]bool{"mailcheck-mail@.service": true} // TestMailFailure
	step := func(name, instance, source string, status int, flags ...string) outcome {
		t.Helper()
		ran[name] = true
		o := m.start(t, all[name], instance, source, flags...)
		if o.status != status {
			t.Errorf("%s %s: status %d, want %d\n%s%s", name, instance, o.status, status, o.out, o.err)
		}
		return o
	}
	step("mailcheck-audit@.service", "good.example", "", 0, append(dns, "--selector=mail")...)
	step("mailcheck-audit@.service", "bad.example", "", 1, dns...)
	step("mailcheck-audit@.service", "none.example", "", 2, dns...)
	step("mailcheck-audit@.service", "-x", "", 2, dns...) // a name, and no flag

	if o := step("mailcheck-baseline@.service", "good.example", "", 0, dns...); o.out != "" {
		t.Errorf("the first run says %q", o.out)
	}
	weaker := put(t, filepath.Join(m.dir, "weaker.zone"), strings.ReplaceAll(text(t, "internal/packaging/testdata/good.zone"), "p=reject", "p=none"))
	step("mailcheck-baseline@.service", "good.example", "", 1, "--zone="+weaker, "--offline")
	step("mailcheck-baseline@.service", "good.example", "", 0, "--zone="+weaker, "--offline") // told once

	step("mailcheck-digest@.service", "good.example", "", 2) // no reports yet
	put(t, filepath.Join(m.dir, "mail/1.xml"), report("1", "pass"))
	for range 2 { // again: nothing new, nothing said
		if o := step("mailcheck-reports.service", "", m.dir+"/mail", 0); o.out != "" {
			t.Errorf("an import without trouble says %q", o.out)
		}
	}
	put(t, filepath.Join(m.dir, "mail/2.xml"), "no report")
	step("mailcheck-reports.service", "", m.dir+"/mail", 1) // told once
	step("mailcheck-reports.service", "", m.dir+"/mail", 0)
	step("mailcheck-reports.service", "", m.dir+"/none", 3)

	step("mailcheck-rollout@.service", "good.example", "", 2, dns...) // one report is not enough
	step("mailcheck-digest@.service", "good.example", "", 0, "--since=7d", "--until=0d")
	if page, err := os.ReadFile(m.dir + "/state/digest-good.example.html"); err != nil || !strings.Contains(string(page), "good.example") {
		t.Errorf("the page is %.100q, error %v", page, err)
	}
	for name := range all {
		if strings.HasSuffix(name, ".service") && !ran[name] {
			t.Errorf("%s was not run: add it to this test", name)
		}
	}
}

// TestUnitsSound compares the units with each other and with what the package ships.
func TestUnitsSound(t *testing.T) {
	all := units(t)
	for name, u := range all {
		base := strings.TrimSuffix(strings.TrimSuffix(name, ".service"), ".timer")
		if strings.HasSuffix(name, ".timer") {
			if _, ok := all[base+".service"]; !ok {
				t.Errorf("%s starts nothing", name)
			}
			if u.last("Timer", "Persistent") != "true" || u.last("Timer", "RandomizedDelaySec") == "" || u.last("Timer", "OnCalendar") == "" || u.last("Install", "WantedBy") != "timers.target" {
				t.Errorf("%s: %v", name, u)
			}
			continue
		}
		if base == "mailcheck-mail@" {
			continue
		}
		if _, ok := all[base+".timer"]; !ok {
			t.Errorf("%s has no timer", name)
		}
		if hook := u.last("Unit", "OnFailure"); hook != "mailcheck-mail@%n.service" {
			t.Errorf("%s: OnFailure=%s", name, hook)
		}
		for key, want := range map[string]string{
			"Type": "oneshot", "User": "mailcheck", "StateDirectory": "mailcheck", "NoNewPrivileges": "yes", "ProtectSystem": "strict",
			"ProtectHome": "yes", "PrivateTmp": "yes", "PrivateDevices": "yes", "CapabilityBoundingSet": "", "MemoryDenyWriteExecute": "yes",
			"RestrictNamespaces": "yes", "SystemCallArchitectures": "native",
		} {
			if got, ok := u["Service"][key]; !ok || got[len(got)-1] != want {
				t.Errorf("%s: %s=%q, want %q", name, key, got, want)
			}
		}
		// An instance is a domain: with %I a hyphen in it would become a slash.
		if strings.Contains(u.last("Service", "ExecStart"), "%I") {
			t.Errorf("%s uses %%I", name)
		}
		for _, doc := range u["Unit"]["Documentation"] {
			page := regexp.MustCompile(`^man:([\w-]+)\((\d)\)$`).FindStringSubmatch(doc)
			if page == nil {
				t.Errorf("%s: Documentation=%s", name, doc)
			} else if _, err := os.Stat(filepath.Join(root(t), "docs/man", page[1]+"."+page[2])); err != nil {
				t.Error(err)
			}
		}
	}
	if u := all["mailcheck-reports.service"]; u.last("Service", "LoadCredential") == "" || strings.Contains(text(t, "contrib/systemd/reports.env"), "PASS") {
		t.Error("the password of the mailbox is not a credential")
	}
	if !strings.HasPrefix(text(t, "contrib/systemd/mailcheck.sysusers"), "u mailcheck ") {
		t.Error("the user of the units is not made")
	}
}

// TestUnitsVerify lets systemd read the units.
func TestUnitsVerify(t *testing.T) {
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("there is no systemd-analyze here")
	}
	dir := t.TempDir()
	var paths []string
	for name := range units(t) {
		body := strings.NewReplacer("/usr/bin/mailcheck", "/bin/sh", "/usr/lib/mailcheck/mail-failure", "/bin/sh").Replace(text(t, "contrib/systemd/"+name))
		put(t, filepath.Join(dir, name), body)
		path := filepath.Join(dir, strings.Replace(name, "@.", "@my-shop.example.", 1))
		put(t, path, body)
		paths = append(paths, path)
	}
	cmd := exec.Command(tool, append([]string{"verify", "--man=no"}, paths...)...)
	cmd.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+dir+":")
	out, err := cmd.CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "mailcheck") { // systemd speaks of other units of the machine too
			t.Error(line)
		}
	}
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// TestMailFailure runs the hook with a journal and a mail server of its own.
func TestMailFailure(t *testing.T) {
	sh, dir := shell(t, "sh"), t.TempDir()
	put(t, filepath.Join(dir, "journalctl"), "#!/bin/sh\necho \"journal: $*\"\n")
	put(t, filepath.Join(dir, "sendmail"), "#!/bin/sh\ncat >"+dir+"/sent\n")
	for _, name := range []string{"journalctl", "sendmail"} {
		if err := os.Chmod(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "SENDMAIL=" + dir + "/sendmail", "MAILTO=admin@example.org", "MONITOR_INVOCATION_ID=abc", "MONITOR_EXIT_STATUS=1"}
	o := run(t, dir, env, sh, filepath.Join(root(t), "contrib/systemd/mail-failure.sh"), "mailcheck-audit@example.org.service")
	sent, err := os.ReadFile(filepath.Join(dir, "sent"))
	if o.status != 0 || err != nil {
		t.Fatalf("status %d, %v: %s", o.status, err, o.err)
	}
	for _, want := range []string{"To: admin@example.org\n", ": mailcheck-audit@example.org.service\n", "\n\nmailcheck-audit@example.org.service ended with status 1.", "_SYSTEMD_INVOCATION_ID=abc"} {
		if !strings.Contains(string(sent), want) {
			t.Errorf("no %q in %q", want, sent)
		}
	}
	if o := run(t, dir, env, sh, filepath.Join(root(t), "contrib/systemd/mail-failure.sh"), "a\nBcc: x@example.net"); o.status != 3 {
		t.Errorf("a unit's name with a line break: status %d", o.status)
	}
}

// TestCron runs every line of the cron table: it is silent while all is well.
func TestCron(t *testing.T) {
	sh := shell(t, "sh")
	entry := regexp.MustCompile(`^(?:\S+\s+){5}mailcheck\s+(.*)$`)
	lines := 0
	for line := range strings.Lines(text(t, "contrib/cron/mailcheck.cron")) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' || regexp.MustCompile(`^[A-Z_]+=`).MatchString(line) {
			continue
		}
		match := entry.FindStringSubmatch(line)
		if match == nil {
			t.Fatalf("%q is no entry", line)
		}
		if strings.Contains(match[1], "%") {
			t.Errorf("%q: cron makes a line break of %%", line)
		}
		lines++
		for _, domain := range []string{"good.example", "bad.example"} {
			m := newMachine(t)
			put(t, filepath.Join(m.dir, "mail/1.xml"), report("1", "pass"))
			if domain == "bad.example" {
				put(t, filepath.Join(m.dir, "mail/2.xml"), "no report")
			}
			// A program in front of mailcheck adds the zones where DNS is asked.
			bin := filepath.Join(m.dir, "bin")
			put(t, filepath.Join(bin, "mailcheck"), "#!/bin/sh\ncase \"$1\" in audit) set -- \"$@\" --selector=mail ;; esac\n"+
				"case \"$1\" in audit | baseline | rollout) set -- \"$@\" "+strings.Join(zones(t), " ")+" ;; esac\nexec "+m.mailcheck+" \"$@\"\n")
			if err := os.Chmod(filepath.Join(bin, "mailcheck"), 0o755); err != nil {
				t.Fatal(err)
			}
			command := strings.NewReplacer("/var/lib/mailcheck", m.dir+"/state", "imaps://dmarc@imap.example.org/INBOX", m.dir+"/mail",
				"example.org", domain).Replace(match[1])
			if strings.Contains(command, "--password-file") {
				put(t, filepath.Join(m.dir, "state/imap-password"), "secret\n")
			}
			env := []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "MAILCHECK_STORE=" + m.dir + "/state/reports"}
			if strings.Contains(command, "digest") { // of last week: there has to be a report
				run(t, m.dir, env, "/bin/sh", "-c", "mailcheck reports import --quiet "+m.dir+"/mail/1.xml")
				command += " --since 7d --until 0d"
			}
			o := run(t, m.dir, env, sh, "-c", command)
			said := o.out+o.err != ""
			loud := domain == "bad.example" && (strings.Contains(command, "audit") || strings.Contains(command, "import") || strings.Contains(command, "digest"))
			if said != loud {
				t.Errorf("%s says %q, want something: %v", command, o.out+o.err, loud)
			}
		}
	}
	if lines == 0 {
		t.Error("there is no entry")
	}
}
