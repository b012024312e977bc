package store

import (
	"encoding/binary"
	"math/bits"
)

// filter tells which hashes are certainly not in a set: a split-block Bloom
// filter, as Apache Parquet describes it. With filterBits bits an entry about
// one hash in a hundred that is not in the set passes, with closeBits one in a
// thousand.
type filter []byte

const (
	filterBits  = 10
	closeBits   = 16
	filterBlock = 32 // bytes
)

var filterSalts = [8]uint32{0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31}

// filterBits is how many bits an index's filters have for each entry. Everybody who
// is written to is looked for on the suppression list, and hardly anybody is there.
func (k indexKind) filterBits() int {
	if k == indexSuppressed {
		return closeBits
	}
	return filterBits
}

// newFilter makes a filter for so many hashes, with so many bits for each.
func newFilter(entries, bits int) filter {
	blocks := max(1, (entries*bits/8+filterBlock-1)/filterBlock)
	return make(filter, blocks*filterBlock)
}

func (f filter) block(hash uint64) []byte {
	i, _ := bits.Mul64(hash, uint64(len(f)/filterBlock))
	return f[i*filterBlock:][:filterBlock]
}

func (f filter) add(hash uint64) {
	b := f.block(hash)
	for i, salt := range filterSalts {
		word := b[4*i:]
		binary.LittleEndian.PutUint32(word, binary.LittleEndian.Uint32(word)|1<<(uint32(hash)*salt>>27)) //nolint:gosec // the low half
	}
}

func (f filter) has(hash uint64) bool {
	if len(f) == 0 {
		return false
	}
	b := f.block(hash)
	for i, salt := range filterSalts {
		if binary.LittleEndian.Uint32(b[4*i:])&(1<<(uint32(hash)*salt>>27)) == 0 { //nolint:gosec // the low half
			return false
		}
	}
	return true
}
