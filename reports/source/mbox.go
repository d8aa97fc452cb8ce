package source

import (
	"bufio"
	"bytes"
	"io"
	"strconv"
)

// mbox opens the mails of a mailbox file one by one.
func (w *walker) mbox(a at, r *bufio.Reader) {
	w.top = nil
	var buf []byte
	n, blank, over := 0, true, false
	flush := func() {
		if n > 0 && !w.stopped {
			m := a.in("mail " + strconv.Itoa(n))
			if over {
				w.fail(m, ErrLimit, nil, "mail of more than %d octets", w.opt.Mail)
			} else {
				w.message(m, buf)
			}
		}
		buf, over = buf[:0], false
	}
	for !w.stopped {
		l, err := r.ReadSlice('\n')
		if blank && bytes.HasPrefix(l, []byte("From ")) && fromLine(line(l)) {
			flush()
			n++
		} else if n > 0 {
			if over = over || int64(len(buf)+len(l)) > w.opt.Mail; !over {
				buf = append(buf, l...)
			}
		}
		if err != bufio.ErrBufferFull {
			blank = len(bytes.TrimSpace(l)) == 0
		} else {
			blank = false
		}
		if err == nil || err == bufio.ErrBufferFull {
			continue
		}
		flush()
		if err != io.EOF {
			w.readError(a, err)
		}
		return
	}
}
