package message

func lower(c byte) byte {
	if c-'A' < 26 {
		return c | 0x20
	}
	return c
}

func equalFold[A, B []byte | string](a A, b B) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func nameHash[T []byte | string](s T) uint32 {
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(lower(s[i]))) * 16777619
	}
	return h ^ h>>15
}

// link chains the fields of the same name, lowest first.
func (h *Header) link() {
	if len(h.table) > 0 || len(h.Fields) == 0 {
		return
	}
	size := 16
	for size < 2*len(h.Fields) {
		size *= 2
	}
	if cap(h.table) >= size {
		h.table = h.table[:size]
		clear(h.table)
	} else {
		h.table = make([]int32, size)
	}
	for i := range h.Fields {
		slot := h.slot(h.Name(i))
		id := *slot - 1
		if id < 0 {
			id = int32(len(h.names))
			*slot = id + 1
			h.names = append(h.names, int32(i))
			h.last = append(h.last, -1)
		}
		h.Fields[i].id = id
		h.Fields[i].up = h.last[id]
		h.last[id] = int32(i)
	}
	h.cursor = append(h.cursor[:0], h.last...)
	h.stamp = append(h.stamp[:0], make([]uint32, len(h.last))...)
}

// slot is the place of a name in the table.
func (h *Header) slot(name []byte) *int32 {
	mask := uint32(len(h.table) - 1)
	for i := nameHash(name); ; i++ {
		s := &h.table[i&mask]
		if *s == 0 || equalFold(h.Name(int(h.names[*s-1])), name) {
			return s
		}
	}
}

func (h *Header) id(name string) int32 {
	if len(h.table) == 0 {
		return -1
	}
	mask := uint32(len(h.table) - 1)
	for i := nameHash(name); ; i++ {
		s := h.table[i&mask]
		if s == 0 || equalFold(h.Name(int(h.names[s-1])), name) {
			return s - 1
		}
	}
}

// Last is the lowest field of the name, -1 if there is none.
func (h *Header) Last(name string) int {
	h.link()
	if id := h.id(name); id >= 0 {
		return int(h.last[id])
	}
	return -1
}

// Up is the next field above field i with the same name, -1 if there is none.
func (h *Header) Up(i int) int { return int(h.Fields[i].up) }

// Count is the number of fields with the name.
func (h *Header) Count(name string) int {
	n := 0
	for i := h.Last(name); i >= 0; i = h.Up(i) {
		n++
	}
	return n
}

// Begin starts a new selection of fields for [Header.Pick].
func (h *Header) Begin() {
	h.link()
	h.round++
}

// Pick takes the lowest field of the name that was not taken since Begin, -1 if
// there is none left.
// RFC 6376, Section 5.4.2: instances are taken from the bottom up.
func (h *Header) Pick(name string) int {
	id := h.id(name)
	if id < 0 {
		return -1
	}
	if h.stamp[id] != h.round {
		h.stamp[id] = h.round
		h.cursor[id] = h.last[id]
	}
	i := h.cursor[id]
	if i >= 0 {
		h.cursor[id] = h.Fields[i].up
	}
	return int(i)
}
