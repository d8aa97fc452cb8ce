package apply

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"time"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// ExecSchema names the version of what [Exec] says and hears.
const ExecSchema = "mailcheck.exec/1"

// Exec is a provider that runs a program for each call: a request as JSON on its
// standard input, a response as JSON on its standard output. Credentials are the
// program's own matter; it gets the environment of this process.
type Exec struct {
	Command []string
	Wait    time.Duration // for one call; 0: one minute
	Stderr  io.Writer     // what the program has to say to a person; nil: nowhere
}

// Request is what the program reads.
type Request struct {
	Schema  string       `json:"schema"`
	Op      string       `json:"op"` // "get" or "set"
	Zone    resolve.Name `json:"zone"`
	Name    resolve.Name `json:"name,omitzero"`     // of get
	Type    resolve.Type `json:"type,omitzero"`     // of get
	Changes []fix.Change `json:"changes,omitempty"` // of set: whole record sets
}

// Response is what the program writes.
type Response struct {
	Schema  string   `json:"schema"`
	Records []Datum  `json:"records"` // of get: the record set
	Error   *Problem `json:"error,omitempty"`
}

// Datum is a record in a response.
type Datum struct {
	TTL  uint32 `json:"ttl"`
	Data string `json:"data"` // master file form
}

// Problem is an error in a response.
type Problem struct {
	Kind    string `json:"kind"` // "stale", "auth", "refused" or "temporary"
	Message string `json:"message"`
}

// maxResponse bounds what a program may answer.
const maxResponse = 8 << 20

// Get asks the program for a record set.
func (p *Exec) Get(ctx context.Context, zone, name resolve.Name, t resolve.Type) ([]resolve.Record, error) {
	r, err := p.call(ctx, Request{Schema: ExecSchema, Op: "get", Zone: zone, Name: name, Type: t})
	if err != nil {
		return nil, err
	}
	c := fix.Change{Name: name, Type: t}
	for _, d := range r.Records {
		c.TTL = d.TTL
		c.New = append(c.New, d.Data)
	}
	rs, err := c.NewRecords()
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrTemp, p.Command[0], err)
	}
	return rs, nil
}

// Set has the program make changes.
func (p *Exec) Set(ctx context.Context, zone resolve.Name, changes []fix.Change) error {
	changes = slices.Clone(changes)
	for i := range changes { // simple programs cannot tell null from a list
		changes[i].Old, changes[i].New = append([]string{}, changes[i].Old...), append([]string{}, changes[i].New...)
	}
	_, err := p.call(ctx, Request{Schema: ExecSchema, Op: "set", Zone: zone, Changes: changes})
	return err
}

func (p *Exec) call(ctx context.Context, req Request) (*Response, error) {
	if len(p.Command) == 0 {
		return nil, fmt.Errorf("%w: no program given", ErrPlan)
	}
	wait := p.Wait
	if wait <= 0 {
		wait = time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	in, err := json.Marshal(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPlan, err)
	}
	cmd := exec.CommandContext(ctx, p.Command[0], p.Command[1:]...)
	cmd.Stdin = bytes.NewReader(append(in, '\n'))
	out := &capped{}
	cmd.Stdout, cmd.Stderr = out, p.Stderr
	cmd.WaitDelay = 2 * time.Second // a child of the program may keep the pipe open
	ran := cmd.Run()
	var r Response
	err = json.Unmarshal(out.Bytes(), &r)
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%w: %s: %w", ErrTemp, p.Command[0], context.Cause(ctx))
	case out.over:
		return nil, fmt.Errorf("%w: %s answers with more than %d octets", ErrTemp, p.Command[0], maxResponse)
	case err == nil && r.Schema == ExecSchema && r.Error != nil:
		return nil, fmt.Errorf("%w: %s: %.300s", r.Error.reason(), p.Command[0], r.Error.Message)
	case ran != nil:
		return nil, fmt.Errorf("%w: %s: %w", ErrTemp, p.Command[0], ran)
	case err != nil:
		return nil, fmt.Errorf("%w: %s: the response is not JSON: %w", ErrTemp, p.Command[0], err)
	case r.Schema != ExecSchema:
		return nil, fmt.Errorf("%w: %s: schema %.40q, want %q", ErrTemp, p.Command[0], r.Schema, ExecSchema)
	}
	return &r, nil
}

func (p *Problem) reason() error {
	switch p.Kind {
	case "stale":
		return ErrStale
	case "auth":
		return ErrAuth
	case "refused":
		return ErrRefused
	}
	return ErrTemp
}

// capped keeps the beginning of what is written.
type capped struct {
	bytes.Buffer
	over bool
}

func (c *capped) Write(b []byte) (int, error) {
	if c.Len()+len(b) > maxResponse {
		c.over = true
		return 0, errors.New("too long")
	}
	return c.Buffer.Write(b)
}
