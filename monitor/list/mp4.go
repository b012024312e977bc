package list

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"strings"

	"tickwatch/wa"
)

// track is one of a video's tracks.
type track struct {
	kind  string // "vide", "soun", others
	codec string // for people
}

// box is one box of an MP4 or 3GP file (ISO/IEC 14496-12).
type box struct {
	kind string
	data []byte
}

// mp4Tracks lists the tracks of a video: moov/trak, each with mdia/hdlr for its
// kind and mdia/minf/stbl/stsd for its codec.
func mp4Tracks(data []byte) ([]track, error) {
	moov, err := inside(data, "moov")
	if err != nil || len(moov) == 0 {
		return nil, errDamaged
	}
	traks, err := inside(moov[0], "trak")
	if err != nil {
		return nil, err
	}
	var all []track
	for _, trak := range traks {
		handler, err := inside(trak, "mdia", "hdlr")
		if err != nil || len(handler) == 0 || len(handler[0]) < 12 {
			return nil, errDamaged
		}
		t := track{kind: string(handler[0][8:12])}
		descriptions, err := inside(trak, "mdia", "minf", "stbl", "stsd")
		if err != nil || len(descriptions) == 0 || len(descriptions[0]) < 8 {
			return nil, errDamaged
		}
		entries, err := boxes(descriptions[0][8:])
		if err != nil || len(entries) == 0 {
			return nil, errDamaged
		}
		t.codec = codec(entries[0])
		all = append(all, t)
	}
	return all, nil
}

// inside gives the contents of the boxes at a path.
func inside(data []byte, path ...string) ([][]byte, error) {
	found := [][]byte{data}
	for _, kind := range path {
		var deeper [][]byte
		for _, outer := range found {
			all, err := boxes(outer)
			if err != nil {
				return nil, err
			}
			for _, b := range all {
				if b.kind == kind {
					deeper = append(deeper, b.data)
				}
			}
		}
		found = deeper
	}
	return found, nil
}

// boxes splits data into its boxes.
func boxes(data []byte) (all []box, err error) {
	for len(data) >= 8 {
		size, header := uint64(binary.BigEndian.Uint32(data)), uint64(8)
		switch size {
		case 0: // to the end
			size = uint64(len(data))
		case 1: // 64 bits of length behind the kind
			if len(data) < 16 {
				return nil, errDamaged
			}
			size, header = binary.BigEndian.Uint64(data[8:]), 16
		}
		if size < header || size > uint64(len(data)) {
			return nil, errDamaged
		}
		all = append(all, box{string(data[4:8]), data[header:size]})
		data = data[size:]
	}
	return all, nil
}

// codec names what a sample description says, in the words of export dialogs.
func codec(entry box) string {
	switch entry.kind {
	case "avc1", "avc3":
		return "H.264"
	case "mp4a":
		return audioCodec(entry.data)
	}
	names := map[string]string{
		"hvc1": "H.265 (HEVC)", "hev1": "H.265 (HEVC)", "vp08": "VP8", "vp09": "VP9", "av01": "AV1", "mp4v": "MPEG-4 Visual",
		"s263": "H.263", "apch": "ProRes", "samr": "AMR", "sawb": "AMR-WB", "ac-3": "AC-3", "ec-3": "E-AC-3", "Opus": "Opus", "alac": "ALAC", ".mp3": "MP3",
	}
	return cmp.Or(names[entry.kind], strings.TrimSpace(wa.Clean(entry.kind)), "an unknown format")
}

// audioCodec reads the object type of an mp4a entry from its esds box: tag 3 with
// the stream's id and flags, in it tag 4, whose first byte is the type (ISO/IEC 14496-1).
func audioCodec(entry []byte) string {
	_, esds, ok := bytes.Cut(entry, []byte("esds"))
	if !ok || len(esds) < 4 {
		return "AAC" // QuickTime leaves it out
	}
	stream, ok := descriptor(esds[4:], 3)
	if !ok || len(stream) < 3 {
		return "an unknown format"
	}
	flags, rest := stream[2], stream[3:]
	skip := 0
	if flags&0x80 != 0 {
		skip += 2
	}
	if flags&0x40 != 0 && len(rest) > skip {
		skip += 1 + int(rest[skip])
	}
	if flags&0x20 != 0 {
		skip += 2
	}
	if skip > len(rest) {
		return "an unknown format"
	}
	config, ok := descriptor(rest[skip:], 4)
	if !ok || len(config) == 0 {
		return "an unknown format"
	}
	switch config[0] {
	case 0x40, 0x66, 0x67, 0x68:
		return "AAC"
	case 0x69, 0x6b:
		return "MP3"
	}
	return "an unknown format"
}

// descriptor gives the content of a descriptor with a tag; its length has seven
// bits a byte.
func descriptor(data []byte, tag byte) ([]byte, bool) {
	if len(data) < 2 || data[0] != tag {
		return nil, false
	}
	length, at := 0, 1
	for ; at < len(data) && at <= 4; at++ {
		length = length<<7 | int(data[at]&0x7f)
		if data[at]&0x80 == 0 {
			at++
			break
		}
	}
	return data[at:min(len(data), at+length)], true
}
