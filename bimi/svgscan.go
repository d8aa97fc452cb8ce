package bimi

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	svgSpace   = "http://www.w3.org/2000/svg"
	xlinkSpace = "http://www.w3.org/1999/xlink"
)

// scanner reads a picture once, from left to right.
type scanner struct {
	*Indicator
	dec    *xml.Decoder
	path   []string // open elements, outermost first; foreign ones as ""
	ended  bool     // the root has been closed
	titles int
	title  strings.Builder
	refs   refs
}

// scan reads the tags. The decoder is strict, so it knows no entities but the five of
// XML, and it never loads a document type: both end the reading here.
func (x *Indicator) scan() {
	if !utf8.Valid(x.SVG) {
		x.problem(BadCharacter, Ignored, "", -1, "the picture is not UTF-8")
		return
	}
	s := &scanner{Indicator: x, refs: newRefs()}
	s.dec = xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(x.SVG, []byte("\ufeff"))))
	s.dec.Strict = true
	s.dec.Entity = nil
	s.dec.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errCharset }
	for {
		at := int(s.dec.InputOffset())
		tok, err := s.dec.Token()
		if err != nil {
			s.end(at, err)
			return
		}
		if !s.token(tok, at) {
			return
		}
	}
}

var errCharset = errors.New("encoding")

// end tells why the reading ended.
func (s *scanner) end(at int, err error) {
	switch {
	case errors.Is(err, io.EOF) && s.Elements == 0:
		s.problem(Format, Ignored, "", -1, "it is no SVG: there is no element in it")
	case errors.Is(err, io.EOF):
		s.finish()
	case strings.Contains(err.Error(), errCharset.Error()) && strings.Contains(err.Error(), "CharsetReader"), errors.Is(err, errCharset):
		s.problem(Format, Ignored, "", at, "the picture says that it is not UTF-8")
	case strings.Contains(err.Error(), "entity"):
		s.problem(Entity, Ignored, "", at, "the picture uses an entity, which is never expanded")
	default:
		s.problem(Format, Ignored, "", at, "the picture is not well-formed XML: "+plainError(err))
	}
}

// plainError is the reason of a syntax error, safe to show.
func plainError(err error) string {
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Sprintf("line %d: %s", syntax.Line, strings.Trim(clip(syntax.Msg), `"`))
	}
	return strings.Trim(clip(err.Error()), `"`)
}

// token reads one token. It reports whether to go on.
func (s *scanner) token(tok xml.Token, at int) bool {
	switch t := tok.(type) {
	case xml.StartElement:
		return s.start(t, at)
	case xml.EndElement:
		s.path = s.path[:max(len(s.path)-1, 0)]
		s.refs.leave()
		s.ended = len(s.path) == 0
	case xml.CharData:
		s.text(t, at)
	case xml.Directive:
		// A document type can define entities and name other documents.
		s.problem(Entity, Ignored, "!", at, "the picture has a document type, which can hide entities: receivers refuse it")
		return false
	case xml.ProcInst:
		if t.Target != "xml" {
			s.problem(External, Ignored, t.Target, at, fmt.Sprintf("the picture has a processing instruction, %s", clip(t.Target)))
		}
	}
	return true
}

func (s *scanner) text(t xml.CharData, at int) {
	switch {
	case len(s.path) == 0:
		if len(bytes.TrimSpace(t)) > 0 {
			s.problem(Format, Ignored, "", at, "there is text outside of the picture")
		}
	case len(s.path) == 2 && s.path[1] == "title" && s.titles == 1 && s.title.Len() < 4*maxTitle:
		s.title.Write(t[:min(len(t), 4*maxTitle)])
	}
}

func (s *scanner) start(t xml.StartElement, at int) bool {
	s.Elements++
	switch {
	case s.Elements > maxElements:
		s.problem(Bomb, Ignored, "", at, fmt.Sprintf("the picture has more than %d elements", maxElements))
		return false
	case len(s.path) == maxDepth:
		s.problem(Bomb, Ignored, "", at, fmt.Sprintf("the elements of the picture are more than %d deep", maxDepth))
		return false
	case s.ended:
		s.problem(Format, Ignored, t.Name.Local, at, "there is a second element beside the picture")
		return false
	}
	name := ""
	if t.Name.Space == svgSpace {
		name = t.Name.Local
	}
	if len(s.path) == 0 && !s.root(t, name, at) {
		return false
	}
	inMetadata := len(s.path) > 0 && s.path[len(s.path)-1] == "metadata"
	if inMetadata {
		name = "metadata" // its content has no meaning for the picture
	} else {
		s.element(t, name, at)
	}
	s.attributes(t, name, inMetadata, at)
	s.path = append(s.path, name)
	return true
}

// root judges the first element.
func (s *scanner) root(t xml.StartElement, name string, at int) bool {
	switch {
	case name == "svg":
		return true
	case t.Name.Local == "svg" && t.Name.Space == "":
		s.problem(Missing, Ignored, "xmlns", at, `the root has no xmlns="`+svgSpace+`", so it is no SVG`)
	case strings.EqualFold(t.Name.Local, "html"):
		s.problem(Format, Ignored, t.Name.Local, at, "it is a web page, not a picture")
	default:
		s.problem(Format, Ignored, t.Name.Local, at, fmt.Sprintf("it is no SVG: the root is %s", clip(t.Name.Local)))
	}
	return false
}

// finish judges the picture as a whole.
func (s *scanner) finish() {
	s.Title = strings.TrimSpace(s.title.String())
	switch n := utf8.RuneCountInString(s.Title); {
	case s.titles == 0:
		// draft-svg-tiny-ps-abrotman, Section 2: the title is required.
		s.problem(Missing, Ignored, "title", -1, "there is no title element below the root")
	case n == 0:
		s.problem(Missing, AtRisk, "title", -1, "the title is empty")
	case n > maxTitle:
		s.problem(TooLong, Harmless, "title", -1, fmt.Sprintf("the title has more than %d characters", maxTitle))
	}
	if r := []rune(s.Title); len(r) > 2*maxTitle {
		s.Title = string(r[:2*maxTitle])
	}
	s.refs.judge(s.Indicator)
}
