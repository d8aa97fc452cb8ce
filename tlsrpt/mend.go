package tlsrpt

// mend repairs JSON that was written by hand or cut off: commas before a closing
// bracket, control characters in strings, an end that is missing. Cut says that
// the end was. What it makes need not be valid; the parser decides.
func mend(b []byte) (out []byte, cut bool) {
	var stack []byte
	inString, escaped := false, false
	key, colon := false, false // the last string may be a member's name; its colon came
	out = make([]byte, 0, len(b)+16)
	for _, c := range b {
		if inString {
			switch {
			case escaped:
				escaped = false
			case c == '\\':
				escaped = true
			case c == '"':
				inString = false
			case c < ' ':
				c = ' '
			}
			out = append(out, c)
			continue
		}
		switch c {
		case '"':
			inString = true
			if !colon && len(stack) > 0 && stack[len(stack)-1] == '}' {
				key = true
			}
		case '{':
			stack = append(stack, '}')
			key, colon = false, false
		case '[':
			stack = append(stack, ']')
			key, colon = false, false
		case '}', ']':
			out = dropComma(out)
			if len(stack) == 0 || stack[len(stack)-1] != c {
				return out, false
			}
			stack = stack[:len(stack)-1]
			key, colon = false, false
		case ',':
			key, colon = false, false
		case ':':
			key, colon = false, true
		}
		out = append(out, c)
		if len(stack) == 0 {
			return out, false // the document is complete
		}
	}
	if escaped {
		out = out[:len(out)-1]
	}
	if inString {
		out = append(out, '"')
	}
	out = dropComma(out)
	switch {
	case key:
		out = append(out, ":null"...)
	case colon && out[len(out)-1] == ':':
		out = append(out, "null"...)
	}
	for i := len(stack) - 1; i >= 0; i-- {
		out = append(out, stack[i])
	}
	return out, true
}

// dropComma removes white space and a comma from the end.
func dropComma(b []byte) []byte {
	n := len(b)
	for n > 0 && (b[n-1] == ' ' || b[n-1] == '\t' || b[n-1] == '\r' || b[n-1] == '\n' || b[n-1] == ',') {
		n--
	}
	return b[:n]
}
