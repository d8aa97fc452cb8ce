package nameserver

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

const (
	bufferSize = 1232 // octets over UDP: the size that passes everywhere (RFC 9715, Appendix A)
	headerSize = 12
	maxStray   = 8 // packets that are no response to the query
)

var errResponse = errors.New("nameserver: no response to the query")

// reply is what the head of a response tells.
type reply struct{ rcode resolve.RCode }

// query is a question for the SOA of a zone (RFC 1035, Section 4.1), with an OPT
// record if asked for (RFC 6891, Section 6.1.2). It is nil for a name with
// octets that need escapes: no zone of a mail domain has such a name.
func query(zone resolve.Name, edns bool) []byte {
	if strings.ContainsRune(zone.String(), '\\') {
		return nil
	}
	b := make([]byte, headerSize, 64)
	_, _ = rand.Read(b[:2])
	b[5] = 1 // one question; no recursion is asked for
	for label := range strings.SplitSeq(strings.TrimSuffix(zone.FQDN(), "."), ".") {
		if label != "" {
			b = append(append(b, byte(len(label))), label...)
		}
	}
	b = append(b, 0, 0, byte(resolve.TypeSOA), 0, 1)
	if edns {
		b[11] = 1
		b = append(b, 0, 0, 41)
		b = binary.BigEndian.AppendUint16(b, bufferSize)
		b = append(b, 0, 0, 0, 0, 0, 0)
	}
	return b
}

// ask puts a query to one server and reads the head of its response.
func (o Options) ask(ctx context.Context, network string, addr netip.Addr, msg []byte) (reply, error) {
	if msg == nil {
		return reply{}, errResponse
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	conn, err := o.Dial(ctx, network, net.JoinHostPort(addr.String(), strconv.Itoa(int(o.Port))))
	if err != nil {
		return reply{}, err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return reply{}, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if network == "tcp" {
		return overTCP(conn, msg)
	}
	if _, err := conn.Write(msg); err != nil {
		return reply{}, err
	}
	buf := make([]byte, bufferSize)
	for range maxStray {
		n, err := conn.Read(buf)
		if err != nil {
			return reply{}, err
		}
		if r, ok := head(buf[:n], msg); ok {
			return r, nil
		}
	}
	return reply{}, errResponse
}

func overTCP(conn net.Conn, msg []byte) (reply, error) {
	framed := binary.BigEndian.AppendUint16(nil, uint16(len(msg)))
	if _, err := conn.Write(append(framed, msg...)); err != nil {
		return reply{}, err
	}
	var buf [2 + headerSize]byte
	if _, err := io.ReadFull(conn, buf[:]); err != nil {
		return reply{}, err
	}
	if r, ok := head(buf[2:], msg); ok {
		return r, nil
	}
	return reply{}, errResponse
}

// head reads a response's head if it belongs to the query.
func head(b, msg []byte) (reply, bool) {
	if len(b) < headerSize || b[0] != msg[0] || b[1] != msg[1] || b[2]&0x80 == 0 {
		return reply{}, false
	}
	return reply{rcode: resolve.RCode(b[3] & 15)}, true
}
