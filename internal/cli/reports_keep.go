package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/ingest"
	"github.com/mailcheck-go/mailcheck/reports/raw"
)

type reportsRebuildOptions struct {
	storeFlags
	domains []string
	format  string
}

func newReportsRebuild(s Streams) *cobra.Command {
	o := &reportsRebuildOptions{}
	cmd := &cobra.Command{
		Use:   "rebuild",
		Short: "Make the database of the archive anew from the raw reports",
		Long: `Make the database of the archive anew from the reports as they came: after an update
that reads more of them, or when the database is damaged. Reports that were rejected
are tried again. The old database stays in place until the new one is whole. What
reverse DNS said of addresses is not in the raw reports, and is asked for again.

Exit status: 0 done, 2 a pack of raw reports is damaged or a report in it cannot be
read any more, 3 wrong usage, 4 the archive failed.`,
		Example: `  mailcheck reports rebuild
  mailcheck reports rebuild --store /var/lib/mailcheck --domain example.org`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd, s) },
	}
	o.storeFlags.add(cmd)
	cmd.Flags().StringArrayVar(&o.domains, "domain", nil, "our `domain`, repeatable: reports about others are marked as alien")
	cmd.Flags().StringVarP(&o.format, "output", "o", "text", "output `format`: text or json")
	return cmd
}

// rebuiltName is the database while it is being made.
const rebuiltName = "archive.rebuild"

func (o *reportsRebuildOptions) run(cmd *cobra.Command, s Streams) error {
	if err := oneOf(cmd, "output", o.format, "text", "json"); err != nil {
		return err
	}
	for _, d := range o.domains {
		if _, err := parseDomain(d, "--domain"); err != nil {
			return err
		}
	}
	dir, err := o.path(s)
	if err != nil {
		return err
	}
	if info, err := os.Stat(filepath.Join(dir, storeRaw)); err != nil || !info.IsDir() {
		return &Error{Code: ExitFailed, Err: fmt.Errorf("%s holds no raw reports to rebuild from", dir), Hint: "name the archive with --store"}
	}
	packs, err := raw.Open(filepath.Join(dir, storeRaw))
	if err != nil {
		return storeError(dir, err)
	}
	ctx := cmd.Context()
	unlock, err := lockOld(ctx, dir)
	if err != nil {
		return storeError(dir, err)
	}
	defer unlock()
	res, err := o.build(ctx, s, dir, packs)
	if err != nil {
		return storeError(dir, err)
	}
	res.Sources = 1
	if o.format == "json" {
		err = printJSON(s.Out, importView{"mailcheck.reports-import/1", res})
	} else {
		p := newSheet(s)
		p.para("The database is made anew from %s of raw reports.", count(res.Replayed, "pack", "packs"))
		writeImport(p, res)
		err = p.flush(s.Out)
	}
	if err != nil {
		return err
	}
	if len(res.Unavailable) > 0 {
		return exit(ExitIncomplete)
	}
	return nil
}

// lockOld keeps imports away from the old database, if it can be opened at all.
func lockOld(ctx context.Context, dir string) (func(), error) {
	path := filepath.Join(dir, storeDatabase)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return func() {}, nil
	}
	old, err := openEngine(ctx, path, false)
	if errors.Is(err, archive.ErrCorrupt) || errors.Is(err, archive.ErrVersion) {
		return func() {}, nil // nobody else can write it either
	}
	if err != nil {
		return nil, err
	}
	b, err := old.Begin(ctx)
	if err != nil {
		old.Close()
		if errors.Is(err, archive.ErrCorrupt) {
			return func() {}, nil
		}
		return nil, err
	}
	return func() { b.Rollback(); old.Close() }, nil
}

// build makes the new database and puts it in the place of the old one.
func (o *reportsRebuildOptions) build(ctx context.Context, s Streams, dir string, packs *raw.Dir) (*ingest.Result, error) {
	path := filepath.Join(dir, rebuiltName)
	if err := removeDatabase(path); err != nil {
		return nil, err
	}
	defer removeDatabase(path)
	store, err := openEngine(ctx, path, false)
	if err != nil {
		return nil, err
	}
	p := newImportProgress(s, false)
	res, err := ingest.Rebuild(ctx, ingest.Options{Store: store, Raw: packs, Ours: o.domains, Progress: p.step})
	p.done()
	// Closing folds the log into the file, which then is all there is.
	if err := errors.Join(err, store.Close()); err != nil {
		return nil, err
	}
	final := filepath.Join(dir, storeDatabase)
	for _, suffix := range databaseFiles[1:] {
		// A log of the old database would be taken for one of the new.
		if err := os.Remove(final + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return res, os.Rename(path, final)
}

// databaseFiles are the endings of the files of a database.
var databaseFiles = []string{"", "-wal", "-shm", "-journal"}

func removeDatabase(path string) error {
	for _, suffix := range databaseFiles {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

type reportsPruneOptions struct {
	storeFlags
	clock
	before string
	keep   string
	format string
}

func newReportsPrune(s Streams) *cobra.Command {
	o := &reportsPruneOptions{}
	cmd := &cobra.Command{
		Use:   "prune --before DAY | --keep TIME",
		Short: "Remove old reports from the archive",
		Long: `Remove the reports that end before a day, the lines of the ledger from before it, and
the raw reports that then belong to nothing. What was removed does not come back by
'reports rebuild'; a mail that is imported again does.

Exit status: 0 done, 2 a pack of raw reports is damaged and was let alone, 3 wrong
usage, 4 the archive failed.`,
		Example: `  mailcheck reports prune --keep 2y
  mailcheck reports prune --before 2025-01-01`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd, s) },
	}
	o.storeFlags.add(cmd)
	o.clock.add(cmd)
	f := cmd.Flags()
	f.StringVar(&o.before, "before", "", "first `day` that is kept: 2025-01-01, or a time ago such as 90d, 12m, 2y")
	f.StringVar(&o.keep, "keep", "", "`time` to keep: 90d, 12m, 2y; the same as --before of that time ago")
	f.StringVarP(&o.format, "output", "o", "text", "output `format`: text or json")
	return cmd
}

// pruneView is the document of schema mailcheck.reports-prune/1.
type pruneView struct {
	Schema  string      `json:"schema"`
	Before  string      `json:"before"`
	Reports int64       `json:"reports"`
	Rows    int64       `json:"rows"`
	Ledger  int64       `json:"ledger_lines"`
	Raw     raw.Removed `json:"raw"`
}

func (o *reportsPruneOptions) run(cmd *cobra.Command, s Streams) error {
	if err := oneOf(cmd, "output", o.format, "text", "json"); err != nil {
		return err
	}
	if (o.before == "") == (o.keep == "") {
		return usage("mailcheck reports prune --keep 2y", "give one of --before and --keep")
	}
	clock, err := o.now()
	if err != nil {
		return err
	}
	now := clock()
	before, ok := dayAgo(o.before+o.keep, now)
	if !ok {
		return usage("for example --before 2025-01-01 or --keep 2y", "%q is neither a day nor a time", o.before+o.keep)
	}
	if before.After(now) {
		return usage("name a day in the past", "the day is in the future: everything would be removed")
	}
	dir, err := o.path(s)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, storeDatabase)); errors.Is(err, fs.ErrNotExist) {
		return noStore(dir)
	}
	ctx := cmd.Context()
	store, err := openStore(ctx, s, o.storeFlags, false)
	if err != nil {
		return err
	}
	defer store.Close()
	packs, err := raw.Open(filepath.Join(dir, storeRaw))
	if err != nil {
		return storeError(dir, err)
	}
	v, err := prune(ctx, store, packs, before)
	if err != nil {
		return storeError(dir, err)
	}
	if o.format == "json" {
		err = printJSON(s.Out, v)
	} else {
		p := newSheet(s)
		p.field("Before", "%s", v.Before)
		p.field("Removed", "%s with %s, and %s of the ledger", count(v.Reports, "report", "reports"), count(v.Rows, "row", "rows"), count(v.Ledger, "line", "lines"))
		p.field("Raw reports", "%s in %s", count(v.Raw.Documents, "document", "documents"), count(v.Raw.Octets, "octet", "octets"))
		for _, name := range v.Raw.Damaged {
			p.field("Damaged", "%s: let alone", name)
		}
		err = p.flush(s.Out)
	}
	if err != nil {
		return err
	}
	if len(v.Raw.Damaged) > 0 {
		return exit(ExitIncomplete)
	}
	return nil
}

// prune removes from the archive, then from the raw reports what the archive does
// not have any more: also what a prune that was stopped has left.
func prune(ctx context.Context, store archive.Store, packs *raw.Dir, before time.Time) (pruneView, error) {
	v := pruneView{Schema: "mailcheck.reports-prune/1", Before: before.Format(time.DateOnly)}
	// Packs that are not in the archive yet would look as if nothing of them was.
	if _, err := ingest.Rebuild(ctx, ingest.Options{Store: store, Raw: packs}); err != nil {
		return v, err
	}
	p, err := store.Prune(ctx, before)
	if err != nil {
		return v, err
	}
	v.Reports, v.Rows, v.Ledger = p.Reports, p.Rows, p.Inputs
	b, err := store.Begin(ctx) // nobody writes packs meanwhile
	if err != nil {
		return v, err
	}
	defer b.Rollback()
	v.Raw, err = packs.Remove(ctx, raw.Keep{
		Document: func(m raw.Member) (bool, error) {
			_, known, err := b.Known(ctx, m.Sum)
			return known || m.Rejected && archive.DayOf(m.At) >= archive.DayOf(before), err
		},
		Line: func(l raw.Line) bool { return archive.DayOf(l.At) >= archive.DayOf(before) },
	})
	return v, err
}
