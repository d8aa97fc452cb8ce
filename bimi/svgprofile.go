package bimi

import (
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// profileElements are the elements of SVG Tiny PS (draft-svg-tiny-ps-abrotman,
// Section 2, and its schema).
var profileElements = wordSet("svg title desc metadata g defs use path rect circle ellipse line polyline polygon text textArea " +
	"linearGradient radialGradient stop solidColor font font-face glyph missing-glyph hkern font-face-src font-face-name tspan tbreak")

// The elements that are refused, by the reason.
var (
	scriptElements    = wordSet("script handler listener")
	animationElements = wordSet("animate animateColor animateMotion animateTransform animation set discard mpath")
	rasterElements    = wordSet("image")
	externalElements  = wordSet("foreignObject audio video prefetch iframe object embed link a style")
)

// profileAttributes are the attributes that some element of the profile has, besides
// those with a prefix.
var profileAttributes = wordSet("fill-opacity stroke-opacity fill fill-rule stroke stroke-dasharray stroke-dashoffset stroke-linecap stroke-linejoin " +
	"stroke-miterlimit stroke-width color color-rendering vector-effect direction unicode-bidi solid-color solid-opacity display-align line-increment " +
	"stop-color stop-opacity font-family font-size font-style font-variant font-weight font-stretch text-anchor text-align id class role rel rev typeof content " +
	"datatype resource about property width height viewBox baseProfile contentScriptType externalResourcesRequired focusable playbackOrder " +
	"preserveAspectRatio snapshotTime timelineBegin version zoomAndPan requiredFonts systemLanguage display visibility image-rendering shape-rendering " +
	"text-rendering buffered-rendering viewport-fill viewport-fill-opacity transform d pathLength x y rx ry cx cy r x1 y1 x2 y2 points rotate editable " +
	"gradientUnits offset href horiz-origin-x horiz-origin horiz-adv-x unicode glyph-name arabic-form lang u1 u2 g1 g2 k unicode-range panose-1 widths bbox " +
	"units-per-em stemv stemh slope cap-height x-height accented-height ascent descent ideographic alphabetic mathematical hanging underline-position " +
	"underline-thickness strikethrough-position strikethrough-thickness overline-position overline-thickness")

func wordSet(s string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// element judges the name of an element; it is empty outside of SVG.
func (s *scanner) element(t xml.StartElement, name string, at int) {
	local := t.Name.Local
	switch {
	case name == "":
		s.problem(Profile, AtRisk, local, at, fmt.Sprintf("element %s belongs to something else than SVG", clip(local)))
	case scriptElements[name]:
		s.problem(Script, Ignored, name, at, fmt.Sprintf("element %s: nothing may run in the picture", name))
	case animationElements[name]:
		s.problem(Animation, Ignored, name, at, fmt.Sprintf("element %s: nothing may move in the picture", name))
	case rasterElements[name]:
		s.problem(Raster, Ignored, name, at, "element image: the picture may hold no other picture")
	case externalElements[name]:
		s.problem(Profile, Ignored, name, at, fmt.Sprintf("element %s is not part of the profile SVG Tiny PS", name))
	case name == "svg" && len(s.path) > 0:
		s.problem(Profile, Ignored, name, at, "an svg element stands within the picture")
	case name == "title" && len(s.path) == 1:
		s.titles++
	case !profileElements[name]:
		s.problem(Profile, Ignored, local, at, fmt.Sprintf("element %s is not part of the profile SVG Tiny PS", clip(local)))
	}
}

// attributes judges the attributes of an element.
func (s *scanner) attributes(t xml.StartElement, name string, foreign bool, at int) {
	seen := make(map[xml.Name]bool, len(t.Attr))
	values := make(map[string]string)
	id := ""
	var uses []string
	for _, a := range t.Attr {
		if seen[a.Name] {
			s.problem(Format, Ignored, a.Name.Local, at, fmt.Sprintf("attribute %s is given twice, so the picture is not well-formed", clip(a.Name.Local)))
		}
		seen[a.Name] = true
		if foreign {
			continue
		}
		switch local := a.Name.Local; {
		case a.Name.Space == "" && local != "xmlns":
			values[local] = a.Value
			if local == "id" {
				id = a.Value
			}
			s.attribute(name, local, a.Value, at)
		case a.Name.Space == "http://www.w3.org/XML/1998/namespace" && local == "base":
			s.problem(External, Ignored, "xml:base", at, "xml:base makes references lead outside of the picture")
		case a.Name.Space == "http://www.w3.org/XML/1998/namespace" && local == "id":
			id = a.Value
		}
		if target, ok := s.reference(a, at); ok && name == "use" {
			uses = append(uses, target)
		}
	}
	s.refs.enter(id, uses)
	if len(s.path) == 0 && name == "svg" {
		s.rootAttributes(values, at)
	}
}

// attribute judges one attribute without a prefix.
func (s *scanner) attribute(element, name, value string, at int) {
	lower := strings.ToLower(name)
	switch {
	case strings.HasPrefix(lower, "on"):
		s.problem(Script, Ignored, name, at, fmt.Sprintf("attribute %s: nothing may run in the picture", clip(name)))
	case name == "style":
		s.problem(Profile, Ignored, name, at, fmt.Sprintf("attribute style of %s: the profile has no CSS", clip(element)))
	case name == "contentScriptType":
		s.problem(Script, AtRisk, name, at, "attribute contentScriptType speaks of scripts")
	case name == "externalResourcesRequired" && value != "false":
		s.problem(External, Ignored, name, at, "externalResourcesRequired has to be false")
	case !profileAttributes[name] && element != "":
		s.problem(Profile, AtRisk, name, at, fmt.Sprintf("attribute %s of %s is not part of the profile SVG Tiny PS", clip(name), clip(element)))
	}
	if i := strings.Index(strings.ToLower(value), "javascript:"); i >= 0 {
		s.problem(Script, Ignored, name, at, fmt.Sprintf("attribute %s holds a script", clip(name)))
	}
	s.paint(name, value, at)
}

// paint looks for url(...) that leads outside.
func (s *scanner) paint(name, value string, at int) {
	for rest := strings.ToLower(value); ; {
		_, after, found := strings.Cut(rest, "url(")
		if !found {
			return
		}
		if target := strings.TrimLeft(after, " \t\r\n\"'"); !strings.HasPrefix(target, "#") {
			s.problem(External, Ignored, name, at, fmt.Sprintf("attribute %s refers to something outside of the picture", clip(name)))
			return
		}
		rest = after
	}
}

// reference judges href and src. It returns the id that a local one names.
func (s *scanner) reference(a xml.Attr, at int) (id string, ok bool) {
	local := a.Name.Local
	if local != "href" && local != "src" || a.Name.Space != "" && a.Name.Space != xlinkSpace && a.Name.Space != "xlink" {
		return "", false
	}
	target := strings.TrimSpace(a.Value)
	switch {
	case strings.HasPrefix(target, "#"):
		return target[1:], true
	case strings.HasPrefix(strings.ToLower(target), "data:image/"):
		s.problem(Raster, Ignored, local, at, fmt.Sprintf("attribute %s holds another picture", local))
	default:
		// RFC 6170, Section 5.2: no references to external resources.
		s.problem(External, Ignored, local, at, fmt.Sprintf("attribute %s refers to something outside of the picture: %s", local, clip(target)))
	}
	return "", false
}

// rootAttributes judges the attributes of the root.
func (s *scanner) rootAttributes(v map[string]string, at int) {
	for _, name := range []string{"x", "y", "transform"} {
		if _, ok := v[name]; ok {
			// draft-svg-tiny-ps-abrotman, Section 2: no x and y on the root.
			s.problem(Profile, Ignored, name, at, fmt.Sprintf("the root has the attribute %s, which the profile forbids", name))
		}
	}
	s.required(v, "version", "1.2", at)
	s.required(v, "baseProfile", "tiny-ps", at)
	if z, ok := v["zoomAndPan"]; ok && z != "disable" {
		s.problem(Profile, AtRisk, "zoomAndPan", at, "zoomAndPan has to be disable")
	}
	w, wok := length(v["width"])
	h, hok := length(v["height"])
	box, ok := v["viewBox"]
	switch nums, good := viewBox(box); {
	case !ok && wok && hok:
		s.problem(Missing, AtRisk, "viewBox", at, "there is no viewBox, so the picture does not scale")
		s.square(w, h, "width and height", at)
	case !ok:
		s.problem(Missing, AtRisk, "viewBox", at, "there is no viewBox, so the shape is not known")
	case !good:
		s.problem(Invalid, AtRisk, "viewBox", at, fmt.Sprintf("viewBox is %s: four numbers are needed, the last two above zero", clip(box)))
	default:
		s.ViewBox = nums
		s.square(nums[2], nums[3], "viewBox", at)
		if wok && hok {
			s.square(w, h, "width and height", at)
		}
	}
	for _, name := range []string{"width", "height"} {
		if strings.HasSuffix(strings.TrimSpace(v[name]), "%") {
			s.problem(Invalid, AtRisk, name, at, fmt.Sprintf("%s is relative: an absolute size is recommended", name))
		}
	}
}

func (s *scanner) required(v map[string]string, name, want string, at int) {
	switch got, ok := v[name]; {
	case !ok:
		s.problem(Missing, Ignored, name, at, fmt.Sprintf("the root has no %s=%q", name, want))
	case got != want:
		s.problem(Invalid, Ignored, name, at, fmt.Sprintf("%s is %s: %q is needed", name, clip(got), want))
	}
}

// square warns of a shape that is cut or gets a border. It is a recommendation.
func (s *scanner) square(w, h float64, what string, at int) {
	if math.Abs(w-h) > 0.001*max(w, h) {
		s.problem(Shape, AtRisk, what, at, fmt.Sprintf("the picture is not square (%g by %g): receivers cut or refuse it", w, h))
	}
}

func viewBox(s string) ([]float64, bool) {
	fields := strings.FieldsFunc(s, func(c rune) bool { return strings.ContainsRune(" \t\r\n,", c) })
	if len(fields) != 4 {
		return nil, false
	}
	var out []float64
	for _, f := range fields {
		x, err := strconv.ParseFloat(f, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, false
		}
		out = append(out, x)
	}
	return out, out[2] > 0 && out[3] > 0
}

// length reads a size in pixels or without a unit.
func length(s string) (float64, bool) {
	x, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(s), "px"), 64)
	return x, err == nil && x > 0 && !math.IsInf(x, 0)
}
