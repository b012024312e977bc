package list

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"tickwatch/wa"
)

// What WhatsApp takes, in bytes after Meta's processing: images of 8 bits in RGB or
// RGBA, video in H.264 with at most one track of AAC, documents
// (developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media,
// in the copies of docs.aws.amazon.com/social-messaging "Supported media file types
// and sizes" and developers.sinch.com "Accepted media types").
const (
	maxImage    = 5 << 20
	maxVideo    = 16 << 20
	maxDocument = 100 << 20
)

// CheckMedia judges a medium of a template's header by its content: what WhatsApp
// would refuse is to act on. kind is wa.VariableImage, VariableVideo or
// VariableDocument. Nothing found is well. It reads r to its end, or a little
// beyond what is allowed, and holds at most 16 MiB.
func CheckMedia(kind string, r io.Reader, name string) []Finding {
	limits := map[string]int64{wa.VariableImage: maxImage, wa.VariableVideo: maxVideo, wa.VariableDocument: maxDocument}
	limit, ok := limits[kind]
	if !ok {
		return medium(name, Act, "a header of kind "+kind+" has no file")
	}
	hold := min(limit, maxVideo)
	data, err := io.ReadAll(io.LimitReader(r, hold))
	if err != nil {
		return medium(name, Act, fmt.Sprintf("it cannot be read: %v", err))
	}
	rest, err := io.Copy(io.Discard, io.LimitReader(r, limit-hold+1))
	if err != nil {
		return medium(name, Act, fmt.Sprintf("it cannot be read: %v", err))
	}
	if size := int64(len(data)) + rest; size > limit {
		return medium(name, Act, fmt.Sprintf("larger than %d MB, the most that WhatsApp takes; make it smaller", limit>>20))
	} else if size == 0 {
		return medium(name, Act, "the file is empty")
	}
	severity, text := Act, ""
	switch kind {
	case wa.VariableImage:
		text = imageFault(data)
	case wa.VariableVideo:
		text = videoFault(data)
	default:
		severity, text = documentFault(data, name)
	}
	if text == "" {
		return nil
	}
	return medium(name, severity, text)
}

func medium(name, severity, text string) []Finding {
	return []Finding{{Severity: severity, Text: wa.Clean(name + ": " + text)}}
}

// imageFault says why WhatsApp would refuse an image; "" = it would not.
func imageFault(data []byte) string {
	const again = "; export it as JPEG or PNG with 8-bit RGB"
	switch what := imageFormat(data); what {
	case "PNG":
		return pngFault(data, again)
	case "JPEG":
		return jpegFault(data, again)
	case "":
		return "not an image that WhatsApp takes" + again
	default:
		return "a " + what + " image, which WhatsApp does not take" + again
	}
}

func imageFormat(data []byte) string {
	for _, f := range []struct{ magic, at, name string }{
		{"\x89PNG\r\n\x1a\n", "", "PNG"},
		{"\xff\xd8\xff", "", "JPEG"},
		{"GIF8", "", "GIF"},
		{"RIFF", "WEBP", "WebP"},
		{"BM", "", "BMP"},
		{"II*\x00", "", "TIFF"},
		{"MM\x00*", "", "TIFF"},
		{"<svg", "", "SVG"},
	} {
		if bytes.HasPrefix(data, []byte(f.magic)) && (f.at == "" || len(data) >= 12 && string(data[8:12]) == f.at) {
			return f.name
		}
	}
	if len(data) >= 12 && string(data[4:8]) == "ftyp" && slices.Contains([]string{"heic", "heix", "mif1", "avif"}, string(data[8:12])) {
		return "HEIC or AVIF"
	}
	return ""
}

func pngFault(data []byte, again string) string {
	const colours, colourAlpha = 2, 6
	if len(data) < 33 || string(data[12:16]) != "IHDR" {
		return "the image is damaged" + again
	}
	depth, kind := data[24], data[25]
	switch {
	case !bytes.Contains(data[max(0, len(data)-64):], []byte("IEND")):
		return "the image is cut off" + again
	case kind != colours && kind != colourAlpha:
		return "an image in grey or with a palette, and WhatsApp asks for RGB" + again
	case depth != 8:
		return fmt.Sprintf("an image of %d bits a colour, and WhatsApp asks for 8", depth) + again
	}
	return ""
}

// jpegFault reads the segments up to the frame's header.
func jpegFault(data []byte, again string) string {
	for at := 2; at+9 < len(data); {
		if data[at] != 0xff {
			break
		}
		marker := data[at+1]
		switch {
		case marker == 0xff: // filling
			at++
			continue
		case marker == 0x01, marker >= 0xd0 && marker <= 0xd8: // without a length
			at += 2
			continue
		case marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc:
			depth, colours := data[at+4], data[at+9]
			switch {
			case depth != 8:
				return fmt.Sprintf("an image of %d bits a colour, and WhatsApp asks for 8", depth) + again
			case colours == 1:
				return "an image in grey, and WhatsApp asks for RGB" + again
			case colours != 3:
				return "an image in colours for print (CMYK), and WhatsApp asks for RGB" + again
			}
			return ""
		}
		at += 2 + int(binary.BigEndian.Uint16(data[at+2:]))
	}
	return "the image is damaged" + again
}

// documentFault knows what goes in a header, and what may.
func documentFault(data []byte, name string) (severity, text string) {
	if bytes.Contains(data[:min(len(data), 1024)], []byte("%PDF-")) {
		return "", ""
	}
	switch ext := strings.ToLower(path.Ext(name)); ext {
	case ".pdf":
		return Act, "called a PDF, but it is none; export it again"
	case ".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".txt":
		return Watch, "not a PDF; WhatsApp takes it in chats, but a template's document may have to be one"
	}
	return Act, "not a PDF, which a template's document has to be; export it as one"
}

// videoFault says why WhatsApp would refuse a video; "" = it would not.
func videoFault(data []byte) string {
	const again = "; export it as MP4 with H.264 and AAC"
	if len(data) < 12 || string(data[4:8]) != "ftyp" {
		return "not an MP4 or 3GP video" + again
	}
	tracks, err := mp4Tracks(data)
	if err != nil {
		return "the video is damaged or cut off" + again
	}
	video, audio := 0, 0
	for _, t := range tracks {
		switch t.kind {
		case "vide":
			video++
			if t.codec != "H.264" {
				return "a video in " + t.codec + ", and WhatsApp asks for H.264" + again
			}
		case "soun":
			audio++
			if t.codec != "AAC" {
				return "a video with sound in " + t.codec + ", and WhatsApp asks for AAC" + again
			}
		}
	}
	switch {
	case video == 0:
		return "there is no picture in the video" + again
	case audio > 1:
		return fmt.Sprintf("a video with %d tracks of sound, and WhatsApp takes one", audio) + again
	}
	return ""
}

var errDamaged = errors.New("damaged")
