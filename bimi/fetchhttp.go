package bimi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// handshake starts TLS and judges the certificate of the web server. It returns nil if
// receivers would go no further.
func (f *Fetched) handshake(ctx context.Context, conn net.Conn, name resolve.Name, opt FetchOptions, h *Hop) net.Conn {
	c := tls.Client(conn, &tls.Config{
		ServerName: name.String(),
		MinVersion: tls.VersionTLS12, // draft VMC, Section "Verified Mark Certificate Fetch"
		NextProtos: []string{"http/1.1"},
		// Judged below, to keep the chain as evidence.
		InsecureSkipVerify: true,
	})
	if err := c.HandshakeContext(ctx); err != nil {
		var plain tls.RecordHeaderError
		var alert tls.AlertError
		message := fmt.Sprintf("%s does not speak TLS 1.2 or later with us%s", name, late(ctx))
		if errors.As(err, &alert) || errors.As(err, &plain) || strings.Contains(err.Error(), "remote error") {
			f.fault(FaultTLS, message, err)
		} else {
			f.unsure(FaultTLS, message, err)
		}
		return nil
	}
	h.Chain = c.ConnectionState().PeerCertificates
	pool := x509.NewCertPool()
	for _, x := range h.Chain[1:] {
		pool.AddCert(x)
	}
	_, err := h.Chain[0].Verify(x509.VerifyOptions{DNSName: name.String(), Roots: opt.Roots, Intermediates: pool, CurrentTime: opt.Now()})
	var system x509.SystemRootsError
	switch {
	case err == nil:
		return c
	case errors.As(err, &system):
		f.unsure(FaultCertificate, "no roots are known on this system", err)
	default:
		f.fault(FaultCertificate, fmt.Sprintf("the certificate of %s does not verify: %s", name, certificateFault(err)), err)
	}
	return nil
}

func certificateFault(err error) string {
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &host):
		return "it is for other names"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "it is expired or not valid yet"
	case errors.As(err, &unknown):
		return "it leads to no root that is trusted"
	}
	return clip(err.Error())
}

// request asks for the document and reads it. It returns where it redirects to.
func (f *Fetched) request(ctx context.Context, conn net.Conn, u *url.URL, opt FetchOptions, h *Hop) string {
	used := false
	rt := &http.Transport{
		// The one connection: a transport that has to dial again fails.
		DialTLSContext: func(context.Context, string, string) (net.Conn, error) {
			if used {
				return nil, errors.New("bimi: connection closed")
			}
			used = true
			return conn, nil
		},
		DisableKeepAlives:      true,
		DisableCompression:     true, // a small answer must not become a large one
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
	defer rt.CloseIdleConnections()
	u.Fragment = ""
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		f.fault(FaultURL, "no request can be made", err)
		return ""
	}
	req.Header.Set("User-Agent", "mailcheck")
	if opt.UserAgent != "" {
		req.Header.Set("User-Agent", opt.UserAgent)
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		f.unsure(FaultHTTP, fmt.Sprintf("%s gave no HTTP response%s", u.Hostname(), late(ctx)), err)
		return ""
	}
	defer resp.Body.Close()
	h.Status = resp.StatusCode
	h.ContentType, h.Location = cut(resp.Header.Get("Content-Type")), cut(resp.Header.Get("Location"))
	if next, ok := f.judgeStatus(u, h); !ok {
		return next
	}
	f.judgeType(opt.What, u, h)
	if enc := resp.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		f.Faults = append(f.Faults, Fault{Kind: FaultHTTP, Effect: AtRisk, Message: fmt.Sprintf("%s sends the document as %s without being asked to", u.Hostname(), clip(enc))})
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, int64(opt.MaxBytes)+1))
	if err == nil {
		// A server that notices that we leave may end its response properly, and cut
		// short: what comes after the time was up proves nothing.
		err = ctx.Err()
	}
	f.Body = body[:min(len(body), opt.MaxBytes)]
	switch {
	case len(body) > opt.MaxBytes:
		f.fault(FaultSize, fmt.Sprintf("%s sends more than %d octets", u.Hostname(), opt.MaxBytes), nil)
	case err != nil:
		f.unsure(FaultHTTP, fmt.Sprintf("%s did not finish its response%s", u.Hostname(), late(ctx)), err)
	}
	return ""
}

// judgeStatus reports whether there is a body to read, or where to go on.
func (f *Fetched) judgeStatus(u *url.URL, h *Hop) (next string, ok bool) {
	switch code := h.Status; {
	case code == http.StatusOK:
		return "", true
	case code == 301 || code == 302 || code == 303 || code == 307 || code == 308:
		to, err := u.Parse(h.Location)
		if err != nil || h.Location == "" {
			f.fault(FaultRedirect, fmt.Sprintf("%s redirects to nowhere", u.Hostname()), err)
			return "", false
		}
		if to.Scheme != "https" {
			// Draft, Section "Assertion Record Definition": HTTPS is the only transport.
			f.fault(FaultRedirect, fmt.Sprintf("%s redirects to %s, which is not HTTPS", u.Hostname(), clip(to.String())), nil)
			return "", false
		}
		return to.String(), false
	case code >= 500 || code == http.StatusTooManyRequests || code == http.StatusRequestTimeout:
		f.unsure(FaultStatus, fmt.Sprintf("%s has an error of its own: status %s", u.Hostname(), statusText(code)), nil)
	case code == http.StatusForbidden || code == http.StatusUnauthorized:
		// Often a filter against programs: receivers may fare better, or not.
		f.unsure(FaultStatus, fmt.Sprintf("%s refuses us with status %s: receivers are programs too", u.Hostname(), statusText(code)), nil)
	default:
		f.fault(FaultStatus, fmt.Sprintf("%s answers with status %s", u.Hostname(), statusText(code)), nil)
	}
	return "", false
}

// judgeType looks at the media type. A picture is image/svg+xml (RFC 6170, Section
// 5.2); for the certificate the drafts name none.
func (f *Fetched) judgeType(what What, u *url.URL, h *Hop) {
	media, _, err := mime.ParseMediaType(h.ContentType)
	if err != nil {
		media, _, _ = strings.Cut(h.ContentType, ";")
	}
	media = strings.ToLower(strings.TrimSpace(media))
	switch {
	case what == CertificateFile && media != "text/html":
	case what != CertificateFile && (media == "image/svg+xml" || media == "image/svg+xml-compressed"):
	case what == CertificateFile:
		f.Faults = append(f.Faults, Fault{Kind: FaultContentType, Effect: AtRisk, Message: fmt.Sprintf("%s sends a web page, not a certificate", u.Hostname())})
	default:
		f.Faults = append(f.Faults, Fault{Kind: FaultContentType, Effect: AtRisk, Message: fmt.Sprintf("%s calls the picture %s: image/svg+xml is needed", u.Hostname(), clip(h.ContentType))})
	}
}

// late tells that the time was up.
func late(ctx context.Context) string {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return " in time"
	}
	return ""
}

func cut(s string) string { return s[:min(len(s), maxHeaderText)] }
