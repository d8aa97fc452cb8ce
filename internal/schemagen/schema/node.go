package schema

import (
	"bytes"
	"encoding/json"
	"strings"
)

// node is a JSON object whose members keep their order.
type node []member

type member struct {
	name  string
	value any // node, []any, []string, string, bool, int
}

func (n node) with(name string, value any) node { return append(n, member{name, value}) }

// set replaces a member, or adds it.
func (n node) set(name string, value any) node {
	for i, m := range n {
		if m.name == name {
			n[i].value = value
			return n
		}
	}
	return n.with(name, value)
}

// MarshalJSON writes the members in their order.
func (n node) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := encode(m.name)
		if err != nil {
			return nil, err
		}
		value, err := encode(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// lineWidth is up to where a value stands on one line.
const lineWidth = 120

// print writes a value: on one line if it fits, else a member or element a line.
func print(b *strings.Builder, v any, indent string, used int) error {
	one, err := line(v)
	if err != nil {
		return err
	}
	n, isNode := v.(node)
	list, isList := v.([]any)
	if len(indent)+used+len(one) <= lineWidth && !(isNode && len(indent) < 2) || !isNode && !isList {
		b.WriteString(one)
		return nil
	}
	brackets, count := "{}", len(n)
	if isList {
		brackets, count = "[]", len(list)
	}
	b.WriteString(brackets[:1] + "\n")
	for i := range count {
		b.WriteString(indent + "  ")
		var value any
		head := ""
		if isList {
			value = list[i]
		} else {
			name, err := encode(n[i].name)
			if err != nil {
				return err
			}
			head, value = string(name)+": ", n[i].value
		}
		b.WriteString(head)
		if err := print(b, value, indent+"  ", len(head)); err != nil {
			return err
		}
		if i < count-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString(indent + brackets[1:])
	return nil
}

// line is a value on one line, with the spaces of the schemas written by hand.
func line(v any) (string, error) {
	var parts []string
	switch x := v.(type) {
	case node:
		for _, m := range x {
			name, err := encode(m.name)
			if err != nil {
				return "", err
			}
			value, err := line(m.value)
			if err != nil {
				return "", err
			}
			parts = append(parts, string(name)+": "+value)
		}
		if len(parts) == 0 {
			return "{}", nil
		}
		return "{ " + strings.Join(parts, ", ") + " }", nil
	case []any:
		for _, e := range x {
			value, err := line(e)
			if err != nil {
				return "", err
			}
			parts = append(parts, value)
		}
		return "[" + strings.Join(parts, ", ") + "]", nil
	}
	b, err := encode(v)
	return string(b), err
}
