package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Limits of connections.
const (
	maxStreams    = 32              // connections to one server; each carries one query at a time
	maxHTTP       = 8               // the same for DoH, where HTTP/2 needs only one
	streamIdle    = 8 * time.Second // RFC 7766, Section 6.2.3: a few seconds
	maxForeign    = 8               // responses to something else on one stream before it is given up
	dohType       = "application/dns-message"
	dohIdle       = 30 * time.Second
	firstResponse = 4096 // octets of buffer to start with
)

// stream is a TCP or TLS connection that waits for use.
type stream struct {
	conn net.Conn
	used time.Time
}

// overStream asks over TCP or TLS. Connections are kept for the next query; one
// that the server has closed in the meantime is replaced once.
func (c *Client) overStream(ctx context.Context, s *server, qy query) (*message, error) {
	select {
	case s.streams <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-s.streams }()
	st := s.takeIdle()
	reused := st != nil
	for {
		if st == nil {
			conn, err := c.connect(ctx, s)
			if err != nil {
				return nil, err
			}
			st = &stream{conn: conn}
		}
		m, err := c.converse(ctx, s, st.conn, qy)
		if err == nil {
			s.keepIdle(st)
			return m, nil
		}
		st.conn.Close()
		if _, bad := errors.AsType[malformed](err); bad || !reused || ctx.Err() != nil {
			return nil, err
		}
		// RFC 7766, Section 6.2.4: a server may close an idle connection at any
		// time; that says nothing about the query.
		st, reused = nil, false
	}
}

// takeIdle returns the connection used last, or nil.
func (s *server) takeIdle() *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.idle) > 0 {
		st := s.idle[len(s.idle)-1]
		s.idle = s.idle[:len(s.idle)-1]
		if time.Since(st.used) < streamIdle {
			return st
		}
		st.conn.Close()
	}
	return nil
}

func (s *server) keepIdle(st *stream) {
	st.used = time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.once {
		st.conn.Close()
		return
	}
	for len(s.idle) > 0 && time.Since(s.idle[0].used) >= streamIdle {
		s.idle[0].conn.Close()
		s.idle = s.idle[1:]
	}
	s.idle = append(s.idle, st)
}

func (c *Client) connect(ctx context.Context, s *server) (net.Conn, error) {
	conn, err := c.dial(ctx, "tcp", s)
	if err != nil || s.transport != resolve.TLS {
		return conn, err
	}
	// RFC 8310, Section 8.1: the strict profile; there is no fallback to clear text.
	cfg := c.tls.Clone()
	if cfg.ServerName == "" {
		cfg.ServerName = s.verify
	}
	t := tls.Client(conn, cfg)
	if err := t.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return t, nil
}

// converse sends one query over a connection and reads the response.
func (c *Client) converse(ctx context.Context, s *server, conn net.Conn, qy query) (*message, error) {
	end, _ := ctx.Deadline()
	conn.SetDeadline(end)
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(past) })
	defer stop()
	var room [2 + maxQuery]byte
	sent, err := qy.pack(room[2:])
	if err != nil {
		return nil, err
	}
	binary.BigEndian.PutUint16(room[:], uint16(len(sent)))
	at := time.Now()
	// RFC 7766, Section 8: length and message in one segment.
	if _, err := conn.Write(room[:2+len(sent)]); err != nil {
		return nil, err
	}
	c.stats.queries.Add(1)
	for range maxForeign {
		msg, err := readMessage(conn)
		if err != nil {
			return nil, err
		}
		m, err := parse(msg, sent, qy)
		if err == errForeign {
			c.stats.ignored.Add(1)
			continue
		}
		if err != nil {
			return nil, err
		}
		s.measured(time.Since(at))
		if m.transport = resolve.TCP; s.transport == resolve.TLS {
			m.transport = resolve.TLS
		}
		return m, nil
	}
	return nil, malformed("the responses are to other queries")
}

// readMessage reads a message with its length in front (RFC 1035, Section
// 4.2.2). The buffer grows with what comes, not with what is promised.
func readMessage(r io.Reader) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(head[:]))
	msg := make([]byte, min(n, firstResponse))
	if _, err := io.ReadFull(r, msg); err != nil {
		return nil, noEOF(err)
	}
	if n > len(msg) {
		rest := make([]byte, n)
		if _, err := io.ReadFull(r, rest[copy(rest, msg):]); err != nil {
			return nil, noEOF(err)
		}
		msg = rest
	}
	return msg, nil
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// newHTTP makes the client of one DoH server. It follows no redirect and uses no
// proxy: only the server that was named is asked.
func (c *Client) newHTTP() (*http.Client, *http.Transport) {
	t := &http.Transport{
		TLSClientConfig:     c.tls.Clone(),
		DialContext:         c.opt.Dial,
		ForceAttemptHTTP2:   true, // RFC 8484, Section 5.2
		MaxConnsPerHost:     maxHTTP,
		MaxIdleConnsPerHost: maxHTTP,
		IdleConnTimeout:     dohIdle,
		DisableCompression:  true,
	}
	t.TLSClientConfig.NextProtos = nil
	return &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, t
}

// overHTTPS asks a DoH server by POST (RFC 8484, Section 4.1).
func (c *Client) overHTTPS(ctx context.Context, s *server, qy query) (*message, error) {
	var room [maxQuery]byte
	sent, err := qy.pack(room[:])
	if err != nil {
		return nil, err
	}
	sent[0], sent[1] = 0, 0 // RFC 8484, Section 4.1: id 0; HTTP matches the response
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.addr, bytes.NewReader(sent))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", dohType)
	req.Header.Set("Accept", dohType)
	req.Header["User-Agent"] = nil        // RFC 8484, Section 8.2: nothing that tells who asks
	req.Header["X-Idempotency-Key"] = nil // not sent; lets net/http replace a closed connection
	at := time.Now()
	c.stats.queries.Add(1)
	resp, err := s.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxMessage+1))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("HTTP status %d", resp.StatusCode) // RFC 8484, Section 4.2.1: no DNS answer
	}
	if t, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || t != dohType {
		return nil, malformed(fmt.Sprintf("content type %q in place of %s", shorten(resp.Header.Get("Content-Type")), dohType))
	}
	if len(body) > maxMessage {
		return nil, malformed(fmt.Sprintf("the response is over %d octets", maxMessage))
	}
	m, err := parse(body, sent, qy)
	if err == errForeign {
		return nil, malformed("the response is to another query")
	}
	if err != nil {
		return nil, err
	}
	s.measured(time.Since(at))
	m.transport = resolve.HTTPS
	// RFC 8484, Section 5.1: time in HTTP caches counts against the TTLs.
	if age, err := strconv.ParseUint(resp.Header.Get("Age"), 10, 31); err == nil && age > 0 {
		m.older(uint32(age))
	}
	return m, nil
}

// older takes an age in seconds off the TTLs.
func (m *message) older(age uint32) {
	for i := range m.answers {
		m.answers[i].TTL -= min(age, m.answers[i].TTL)
	}
	for i := range m.sigs {
		m.sigs[i].record.TTL -= min(age, m.sigs[i].record.TTL)
	}
	if m.soa != nil {
		m.soa.TTL -= min(age, m.soa.TTL)
	}
}
