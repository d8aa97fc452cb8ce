package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/ingest"
	"github.com/mailcheck-go/mailcheck/reports/raw"
)

// exitTempFail is EX_TEMPFAIL of sysexits.h: a mail server keeps the mail and
// tries again.
const exitTempFail = 75

type reportsImportOptions struct {
	storeFlags
	mailFlags
	domains  []string
	servers  []string
	format   string
	failOn   string
	quiet    bool
	watch    bool
	pipe     bool
	interval time.Duration
}

func newReportsImport(s Streams) *cobra.Command {
	o := &reportsImportOptions{}
	cmd := &cobra.Command{
		Use:   "import SOURCE...",
		Short: "Import reports from files, directories and mailboxes",
		Long: `Import reports into the archive. A SOURCE is

  a file        a report, plain or in gzip, zip, zlib, tar or base64; a mail; an mbox
  a directory   all files at and below it, but hidden ones; a Maildir gives its mails
  a pattern     such as '/srv/reports/*.gz', if no file is called so
  -             standard input
  imaps://USER@HOST/FOLDER, imap://USER@HOST/FOLDER
                a folder of a mail server, over TLS or with STARTTLS

What a file is, is told from its content. Each report is kept as it came and then
put into the archive; only then is its mail touched (--after). To import the same
again adds nothing, and a run that was killed is taken up where it was. A folder
is resumed behind the last mail that was read.

Exit status: 0 all was imported or known, 1 something was rejected (--fail-on),
2 a source could not be read to its end, 3 wrong usage or a file that is not there,
4 the archive failed. A finding outweighs an unknown. With --pipe it is 0, or 75
when the mail should be delivered again later.`,
		Example: `  mailcheck reports import ~/reports --domain example.org
  mailcheck reports import imaps://dmarc@imap.example.org/INBOX --password-env IMAP_PASSWORD --quiet
  mailcheck reports import imaps://dmarc@imap.example.org/Reports --token-command 'oauth-token dmarc' --watch
  dmarc: "|/usr/bin/mailcheck reports import - --pipe --store /var/lib/mailcheck"     in /etc/aliases`,
		RunE: func(cmd *cobra.Command, args []string) error {
			err := o.run(cmd, s, args)
			if o.pipe && err != nil {
				return tempFail(err)
			}
			return err
		},
	}
	o.storeFlags.add(cmd)
	o.mailFlags.add(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&o.domains, "domain", nil, "our `domain`, repeatable: reports about others are marked as alien")
	f.StringArrayVar(&o.servers, "authserv-id", nil, "`name` of a server whose Authentication-Results are believed, repeatable: mails of reports that fail by them are marked as forged")
	f.StringVarP(&o.format, "output", "o", "text", "output `format`: text or json")
	f.StringVar(&o.failOn, "fail-on", "rejected", "what gives exit status 1: rejected inputs, new ones that were not rejected before, or none")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print something only if there is something to tell: a report that was refused, or a source that could not be read")
	f.BoolVar(&o.watch, "watch", false, "go on: look for what is new until interrupted")
	f.DurationVar(&o.interval, "interval", time.Minute, "time between two looks of --watch")
	f.BoolVar(&o.pipe, "pipe", false, "be the program a mail server pipes a mail to: standard input, silence, exit status 0 or 75")
	return cmd
}

// tempFail makes any failure one that a mail server answers by trying later: a
// mail that bounces is a report that is lost.
func tempFail(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		c := *e
		c.Code = exitTempFail
		return &c
	}
	return &Error{Code: exitTempFail, Err: err}
}

func (o *reportsImportOptions) check(cmd *cobra.Command, args []string) error {
	if err := oneOf(cmd, "output", o.format, "text", "json"); err != nil {
		return err
	}
	if err := oneOf(cmd, "fail-on", o.failOn, "rejected", "new", "none"); err != nil {
		return err
	}
	switch {
	case o.pipe && (o.watch || len(args) > 1 || len(args) == 1 && args[0] != "-"):
		return usage("mailcheck reports import - --pipe", "--pipe reads one mail from standard input")
	case len(args) == 0 && !o.pipe:
		return usage("mailcheck reports import ~/reports; see 'mailcheck reports import --help' for mailboxes", "no source given")
	case o.interval < time.Second:
		return usage("for example --interval 5m", "--interval must be a second at least")
	}
	for _, d := range o.domains {
		if _, err := parseDomain(d, "--domain"); err != nil {
			return err
		}
	}
	return o.mailFlags.check(cmd)
}

// importSource is one argument.
type importSource struct {
	name   string
	inputs func(ctx context.Context) iter.Seq2[ingest.Input, error]
	wait   func(ctx context.Context, d time.Duration) error // for something new; nil: sleep
	close  func()
}

func (o *reportsImportOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	if err := o.check(cmd, args); err != nil {
		return err
	}
	if o.pipe {
		args = []string{"-"}
	}
	ctx := cmd.Context()
	dir, err := o.path(s)
	if err != nil {
		return err
	}
	o.temp = filepath.Join(dir, storeRaw)
	sources, missing, err := o.sources(s, args)
	if err != nil {
		return err
	}
	defer func() {
		for _, src := range sources {
			if src.close != nil {
				src.close()
			}
		}
	}()
	if len(missing) > 0 && len(sources) == 0 {
		return noFile(missing)
	}
	store, err := openStore(ctx, s, o.storeFlags, false)
	if err != nil {
		return err
	}
	defer store.Close()
	packs, err := raw.Open(filepath.Join(dir, storeRaw))
	if err != nil {
		return storeError(dir, err)
	}
	o.reader = store
	opt := ingest.Options{Store: store, Raw: packs, Ours: o.domains, Prove: ingest.TrustedResults(o.servers)}
	for {
		code, err := o.pass(ctx, s, sources, opt)
		switch {
		case ctx.Err() != nil && o.watch:
			return nil // that is how it ends
		case err != nil:
			return storeError(dir, err)
		case !o.watch && len(missing) > 0:
			return noFile(missing)
		case !o.watch:
			return exit(code)
		}
		if !o.rest(ctx, sources) {
			return nil
		}
	}
}

// rest waits for something new, or for the interval.
func (o *reportsImportOptions) rest(ctx context.Context, sources []importSource) bool {
	if len(sources) == 1 && sources[0].wait != nil {
		return sources[0].wait(ctx, o.interval) == nil
	}
	t := time.NewTimer(o.interval)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// pass reads all sources once, and tells of it.
func (o *reportsImportOptions) pass(ctx context.Context, s Streams, sources []importSource, opt ingest.Options) (int, error) {
	p := newImportProgress(s, o.quiet || o.pipe)
	opt.Progress = p.step
	res, err := ingest.Run(ctx, func(yield func(ingest.Input, error) bool) {
		for _, src := range sources {
			for in, err := range src.inputs(ctx) {
				if !yield(in, err) {
					return
				}
			}
		}
	}, opt)
	p.done()
	res.Sources = len(sources)
	if o.speaks(res, err) {
		if perr := o.print(s, res); perr != nil {
			return 0, perr
		}
	}
	if err != nil {
		return 0, err
	}
	return o.code(res), nil
}

// speaks decides whether there is something to tell.
func (o *reportsImportOptions) speaks(res *ingest.Result, err error) bool {
	switch {
	case o.pipe:
		return false
	case o.quiet:
		return len(res.Unavailable) > 0 || o.code(res) == ExitFindings
	case o.watch: // a pass that found nothing is no news
		return res.New+res.Conflicting+res.Refused > 0 || len(res.Unavailable) > 0
	}
	return err == nil || res.Files > 0
}

func (o *reportsImportOptions) code(res *ingest.Result) int {
	refused := res.Refused
	switch o.failOn {
	case "none":
		refused = 0
	case "new":
		refused -= res.Repeated
	}
	switch {
	case o.pipe:
		return ExitOK // it is in the ledger; to have it delivered again would change nothing
	case refused > 0:
		return ExitFindings
	case len(res.Unavailable) > 0:
		return ExitIncomplete
	}
	return ExitOK
}

func noFile(missing []string) error {
	more := ""
	if len(missing) > 1 {
		more = fmt.Sprintf(", and %d more", len(missing)-1)
	}
	return usage("name a file, a directory, an imaps:// URL, or - for standard input", "%s: no such file or directory%s", missing[0], more)
}

// sources reads the arguments.
func (o *reportsImportOptions) sources(s Streams, args []string) (out []importSource, missing []string, err error) {
	for _, a := range args {
		switch {
		case a == "-":
			out = append(out, importSource{name: a, inputs: stdinInput(s)})
		case isMailURL(a):
			src, err := o.mailSource(s, a)
			if err != nil {
				return out, nil, err
			}
			out = append(out, src)
		case strings.Contains(a, "://"):
			return out, nil, usage("files, directories, imaps:// and imap:// are", "%q is no source that can be read", a)
		default:
			paths, ok := expand(a)
			if !ok {
				missing = append(missing, a)
				continue
			}
			out = append(out, importSource{name: a, inputs: o.files(a, paths)})
		}
	}
	return out, missing, nil
}

// expand gives the paths that an argument means: the one it names, or those that
// match it. A pattern may match none, if its directory is there.
func expand(arg string) ([]string, bool) {
	if _, err := os.Lstat(arg); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return []string{arg}, true
	}
	if !strings.ContainsAny(arg, "*?[") {
		return nil, false
	}
	paths, err := filepath.Glob(arg)
	if err != nil {
		return nil, false
	}
	if len(paths) == 0 {
		dir := filepath.Dir(arg)
		for strings.ContainsAny(dir, "*?[") {
			dir = filepath.Dir(dir)
		}
		info, err := os.Stat(dir)
		return nil, err == nil && info.IsDir()
	}
	return paths, true
}

// settled is how long a file has to be left alone to be read by --watch.
const settled = 2 * time.Second

// files gives the inputs of paths; when watching, those that are new since the
// last time.
func (o *reportsImportOptions) files(arg string, paths []string) func(context.Context) iter.Seq2[ingest.Input, error] {
	if !o.watch {
		return func(context.Context) iter.Seq2[ingest.Input, error] { return ingest.Paths(paths...) }
	}
	seen := map[string]archive.Cursor{}
	return func(context.Context) iter.Seq2[ingest.Input, error] {
		return func(yield func(ingest.Input, error) bool) {
			paths, _ := expand(arg)
			for in, err := range ingest.Paths(paths...) {
				if err == nil {
					info, serr := os.Stat(in.Name)
					if seen[in.Cursor] == in.At || serr == nil && time.Since(info.ModTime()) < settled {
						continue
					}
					seen[in.Cursor] = in.At
				}
				if !yield(in, err) {
					return
				}
			}
		}
	}
}

// stdinInput reads standard input once.
func stdinInput(s Streams) func(context.Context) iter.Seq2[ingest.Input, error] {
	read := false
	return func(ctx context.Context) iter.Seq2[ingest.Input, error] {
		return func(yield func(ingest.Input, error) bool) {
			if !read {
				read = true
				yield(ingest.Input{Name: "standard input", Open: func() (io.ReadCloser, error) {
					return stdinReader(ctx, s.In), nil
				}}, nil)
			}
		}
	}
}

// stdinReader reads standard input. If that is a file it is read as one: a large
// zip archive is not held in memory then.
func stdinReader(ctx context.Context, in io.Reader) io.ReadCloser {
	if f, ok := in.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			return io.NopCloser(f)
		}
	}
	return io.NopCloser(interruptible(ctx, in))
}

// interruptible ends reading when the context does, though the reader below waits.
func interruptible(ctx context.Context, r io.Reader) io.Reader {
	pr, pw := io.Pipe()
	go func() {
		_, err := io.Copy(pw, r)
		pw.CloseWithError(err)
	}()
	context.AfterFunc(ctx, func() { pw.CloseWithError(context.Cause(ctx)) })
	return pr
}

// importView is the document of schema mailcheck.reports-import/1.
type importView struct {
	Schema string `json:"schema"`
	*ingest.Result
}

func (o *reportsImportOptions) print(s Streams, res *ingest.Result) error {
	if o.format == "json" {
		return printJSON(s.Out, importView{"mailcheck.reports-import/1", res})
	}
	p := newSheet(s)
	writeImport(p, res)
	return p.flush(s.Out)
}

// maxShownRefusals bounds the rejected inputs of a text; JSON and the ledger have
// all.
const maxShownRefusals = 20

func writeImport(p *sheet, res *ingest.Result) {
	p.field("Read", "%s from %s", count(res.Files, "input", "inputs"), plural(res.Sources, "source", "sources"))
	p.field("New", "%s with %s and %s", count(res.New, "report", "reports"), count(res.Rows, "row", "rows"), count(res.Messages, "message", "messages"))
	if res.Replayed > 0 {
		p.field("Recovered", "%s that an earlier run had left behind", count(res.Replayed, "pack", "packs"))
	}
	if res.Duplicate > 0 {
		p.field("Known", "%s that the archive has already", count(res.Duplicate, "report", "reports"))
	}
	if res.Conflicting > 0 {
		p.field("Conflicting", "%s with the name of another and other content: kept, and one of each counted", count(res.Conflicting, "report", "reports"))
	}
	if res.Alien > 0 {
		p.field("Alien", "%s about domains that are not ours", count(res.Alien, "report", "reports"))
	}
	if res.Forged > 0 {
		p.field("Forged", "%s in mails that are not from whom they say", count(res.Forged, "report", "reports"))
	}
	if res.Skipped > 0 {
		p.field("Skipped", "%s beside the reports", count(res.Skipped, "part", "parts"))
	}
	if res.Refused > 0 {
		p.field("Rejected", "%s", count(res.Refused, "input or part of one", "inputs or parts of one"))
		writeRefusals(p, res.Rejected, res.Refused)
	}
	if len(res.Unavailable) > 0 {
		p.field("Unavailable", "%s", plural(len(res.Unavailable), "source", "sources"))
		writeRefusals(p, res.Unavailable, int64(len(res.Unavailable)))
	}
	lost := int64(0)
	for _, d := range res.Diagnostics {
		if d.Severity == "loss" {
			lost += d.Count
		}
	}
	if lost > 0 {
		p.field("Incomplete", "%s in the new reports; 'mailcheck reports parse FILE' shows where", count(lost, "value that is lost or cannot be read", "values that are lost or cannot be read"))
	}
}

func writeRefusals(p *sheet, list []ingest.Refusal, total int64) {
	for _, x := range list[:min(len(list), maxShownRefusals)] {
		p.item("%s: %s", safe.Limit(x.Source, 300), safe.Limit(x.Reason, 300))
	}
	if more := total - int64(min(len(list), maxShownRefusals)); more > 0 {
		p.item("and %s more: mailcheck reports ledger --outcome rejected", grouped(uint64(more)))
	}
}

func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(uint64(max(n, 0))) + " " + many
}

// importProgress shows on a terminal how far an import is.
type importProgress struct {
	s     Streams
	begun time.Time
	on    bool
	shown bool
}

func newImportProgress(s Streams, quiet bool) *importProgress {
	return &importProgress{s: s, begun: time.Now(), on: s.ErrTTY && !quiet}
}

func (p *importProgress) step(res *ingest.Result) {
	if !p.on || time.Since(p.begun) < progressAfter {
		return
	}
	p.shown = true
	fmt.Fprintf(p.s.Err, "\r\x1b[K%s read: %s new, %s known, %s rejected", count(res.Files, "input", "inputs"), grouped(uint64(res.New)), grouped(uint64(res.Duplicate)), grouped(uint64(res.Refused)))
}

func (p *importProgress) done() {
	if p.shown {
		fmt.Fprint(p.s.Err, "\r\x1b[K")
	}
}
