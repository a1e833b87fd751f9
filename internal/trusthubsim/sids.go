package trusthubsim

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// draw returns 16 bytes in hex that depend on the seed, the names and how often the same names were
// drawn before. Two accounts, or two kinds of object in one account, draw from streams of their
// own: what one does leaves the other's SIDs as they were.
func (s *Simulator) draw(names ...string) string {
	sum := s.drawBytes(names...)
	return hex.EncodeToString(sum[:16])
}

// drawChance returns a number from 0 to 1, drawn like draw.
func (s *Simulator) drawChance(names ...string) float64 {
	sum := s.drawBytes(names...)
	return float64(binary.BigEndian.Uint64(sum[:8])>>11) / (1 << 53)
}

func (s *Simulator) drawBytes(names ...string) [sha256.Size]byte {
	stream := fmt.Sprint(names)
	s.drawn[stream]++
	return sha256.Sum256(fmt.Appendf(nil, "%d %s %d", s.cfg.Seed, stream, s.drawn[stream]))
}

// isSID reports whether text is a SID: two letters, of the kind that prefix says unless it is "",
// and 32 hex digits.
func isSID(text, prefix string) bool {
	if len(text) != 34 || prefix != "" && text[:2] != prefix {
		return false
	}
	for i, b := range []byte(text) {
		digit := b >= '0' && b <= '9'
		switch {
		case i < 2 && !(b >= 'A' && b <= 'Z'):
			return false
		case i >= 2 && !(digit || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F'):
			return false
		}
	}
	return true
}
