package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	engine "modernc.org/sqlite"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// conn is a connection with the statements prepared on it. It is used without
// database/sql: one goroutine has it at a time, and a third of the time of an
// import would go into the pool. A conn belongs to one goroutine.
type conn struct {
	c     driver.Conn
	stmts map[string]*stmt
}

type stmt struct {
	exec  driver.StmtExecContext
	query driver.StmtQueryContext
	close func() error
	args  []driver.NamedValue
}

// The page caches of connections, in KiB. That of the writer is small: pages it
// has changed go to the log when there are too many, and a report of any size is
// to be imported in little memory.
const (
	readerCache = 8 << 10
	writerCache = 3 << 10
)

func dial(ctx context.Context, path, params string, cache int) (*conn, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	abs = filepath.ToSlash(abs)
	if !strings.HasPrefix(abs, "/") {
		abs = "/" + abs // a drive letter
	}
	connector, err := engine.NewConnector("file:" + (&url.URL{Path: abs}).EscapedPath() + "?_dqs=0&_pragma=cache_size(-" + strconv.Itoa(cache) + ")&" + params)
	if err != nil {
		return nil, fail(err)
	}
	c, err := connector.Connect(ctx)
	if err != nil {
		return nil, fail(err)
	}
	return &conn{c: c, stmts: map[string]*stmt{}}, nil
}

func (c *conn) Close() error {
	for _, s := range c.stmts {
		s.close()
	}
	c.stmts = nil
	return fail(c.c.Close())
}

// prepare keeps every statement: their texts are constants of this package, or
// put together from a few such.
func (c *conn) prepare(sql string) (*stmt, error) {
	if s := c.stmts[sql]; s != nil {
		return s, nil
	}
	p, err := c.c.Prepare(sql)
	if err != nil {
		return nil, fail(err)
	}
	s := &stmt{close: p.Close}
	var ok1, ok2 bool
	s.exec, ok1 = p.(driver.StmtExecContext)
	s.query, ok2 = p.(driver.StmtQueryContext)
	if !ok1 || !ok2 {
		p.Close()
		return nil, errors.New("sqlite: the driver has changed")
	}
	c.stmts[sql] = s
	return s, nil
}

func (s *stmt) bind(args []any) []driver.NamedValue {
	s.args = s.args[:0]
	for i, a := range args {
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: value(a)})
	}
	return s.args
}

func value(a any) driver.Value {
	switch v := a.(type) {
	case int:
		return int64(v)
	case archive.Day:
		return int64(v)
	case bool:
		if v {
			return int64(1)
		}
		return int64(0)
	case archive.Sum:
		return v[:]
	case time.Time:
		return v.Unix()
	}
	return a // int64, string, []byte or nil
}

// run executes a statement that has no result. It is not interrupted: SQLite
// would undo the whole transaction.
func (c *conn) run(sql string, args ...any) error {
	_, err := c.insert(sql, args...)
	return err
}

// insert is run, and gives the id of the row.
func (c *conn) insert(sql string, args ...any) (int64, error) {
	s, err := c.prepare(sql)
	if err != nil {
		return 0, err
	}
	res, err := s.exec.ExecContext(context.Background(), s.bind(args))
	if err != nil {
		return 0, fail(err)
	}
	return res.LastInsertId()
}

// changed is run, and gives the number of rows that were changed.
func (c *conn) changed(sql string, args ...any) (int64, error) {
	s, err := c.prepare(sql)
	if err != nil {
		return 0, err
	}
	res, err := s.exec.ExecContext(context.Background(), s.bind(args))
	if err != nil {
		return 0, fail(err)
	}
	return res.RowsAffected()
}

// each calls do for every row of a result, which is valid until do returns.
func (c *conn) each(ctx context.Context, sql string, args []any, do func(*record) error) (err error) {
	s, err := c.prepare(sql)
	if err != nil {
		return err
	}
	rows, err := s.query.QueryContext(ctx, s.bind(args))
	if err != nil {
		return fail(err)
	}
	defer func() {
		if e := rows.Close(); err == nil {
			err = fail(e)
		}
	}()
	r := record{vals: make([]driver.Value, len(rows.Columns()))}
	for n := 0; ; n++ {
		if n&255 == 255 {
			if err := context.Cause(ctx); err != nil {
				return err
			}
		}
		switch err := rows.Next(r.vals); {
		case err == io.EOF:
			return nil
		case err != nil:
			return fail(err)
		}
		if err := do(&r); err != nil {
			return err
		}
		if r.err != nil {
			return r.err
		}
	}
}

// one gives the first row of a result, or nil.
func (c *conn) one(sql string, args ...any) (out *record, err error) {
	err = c.each(context.Background(), sql, args, func(r *record) error {
		out = r
		return errStop
	})
	if err == errStop {
		err = nil
	}
	return out, err
}

var errStop = errors.New("sqlite: enough")

// record is a row of a result. Its methods note a value that cannot be in an
// archive: the database is damaged.
type record struct {
	vals []driver.Value
	err  error
}

func (r *record) bad(i int) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: a %T where it does not belong (column %d)", archive.ErrCorrupt, r.vals[i], i)
	}
}

func (r *record) null(i int) bool { return r.vals[i] == nil }

func (r *record) int(i int) int64 {
	v, ok := r.vals[i].(int64)
	if !ok {
		r.bad(i)
	}
	return v
}

func (r *record) flag(i int) bool { return r.int(i) != 0 }

func (r *record) day(i int) archive.Day { return archive.Day(r.int(i)) }

func (r *record) text(i int) string {
	v, ok := r.vals[i].(string)
	if !ok {
		r.bad(i)
	}
	return v
}

func (r *record) blob(i int) []byte {
	v, ok := r.vals[i].([]byte)
	if !ok {
		r.bad(i)
	}
	return v
}

func (r *record) time(i int) time.Time { return time.Unix(r.int(i), 0).UTC() }

func (r *record) sum(i int) (s archive.Sum) {
	if copy(s[:], r.blob(i)) != len(s) {
		r.bad(i)
	}
	return s
}
