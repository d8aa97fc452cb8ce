package cli

import (
	"bufio"
	"errors"
	"io"
	"strings"
)

// answers reads a person's answers, a line each.
type answers struct{ r *bufio.Reader }

// maxAnswer bounds one answer.
const maxAnswer = 4096

func newAnswers(r io.Reader) *answers { return &answers{bufio.NewReaderSize(r, maxAnswer)} }

// next reads one answer. An empty line is an answer too.
func (l *answers) next() (string, error) {
	text, err := l.r.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", errors.New("the answer is too long")
	case err != nil && len(text) == 0:
		return "", errors.New("the questions were not answered")
	}
	return strings.TrimSpace(string(text)), nil
}
