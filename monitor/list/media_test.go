package list

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"strings"
	"testing"

	"tickwatch/wa"
)

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// mp4Box writes a box.
func mp4Box(kind string, parts ...[]byte) []byte {
	data := bytes.Join(parts, nil)
	return append(binary.BigEndian.AppendUint32(nil, uint32(8+len(data))), append([]byte(kind), data...)...)
}

// mp4Track writes a track of a kind, with a sample description.
func mp4Track(kind string, entry []byte) []byte {
	handler := mp4Box("hdlr", make([]byte, 8), []byte(kind), make([]byte, 13))
	table := mp4Box("stbl", mp4Box("stsd", make([]byte, 8), entry))
	return mp4Box("trak", mp4Box("tkhd", make([]byte, 84)), mp4Box("mdia", handler, mp4Box("minf", table)))
}

func mp4Of(tracks ...[]byte) []byte {
	return bytes.Join([][]byte{mp4Box("ftyp", []byte("isom\x00\x00\x02\x00isomiso2avc1mp41")), mp4Box("mdat", make([]byte, 100)), mp4Box("moov", mp4Box("mvhd", make([]byte, 100)), bytes.Join(tracks, nil))}, nil)
}

func mp4Sound(objectType byte) []byte {
	config := []byte{4, 0x80, 0x80, 0x80, 13, objectType, 0x15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	stream := append([]byte{3, 0x80, 0x80, 0x80, byte(3 + len(config)), 0, 1, 0}, config...)
	return mp4Box("mp4a", make([]byte, 28), mp4Box("esds", make([]byte, 4), stream))
}

func TestMediaThatWhatsAppRefuses(t *testing.T) {
	square := image.Rect(0, 0, 8, 8)
	coloured := image.NewNRGBA(square)
	coloured.Set(1, 1, color.NRGBA{200, 10, 10, 100})
	deep := image.NewNRGBA64(square)
	deep.Set(1, 1, color.NRGBA{200, 10, 10, 100})
	var animated bytes.Buffer
	if err := gif.Encode(&animated, coloured, nil); err != nil {
		t.Fatal(err)
	}
	cmyk := jpegOf(t, coloured)
	frame := bytes.Index(cmyk, []byte{0xff, 0xc0})
	cmyk[frame+9] = 4
	picture, sound := mp4Track("vide", mp4Box("avc1", make([]byte, 78))), mp4Track("soun", mp4Sound(0x40))
	whole := mp4Of(picture, sound)

	for name, c := range map[string]struct {
		kind string
		data []byte
		want string // "" = taken
	}{
		"a.png":        {wa.VariableImage, pngOf(t, coloured), ""},
		"opaque.png":   {wa.VariableImage, pngOf(t, image.NewRGBA(square)), ""},
		"a.jpg":        {wa.VariableImage, jpegOf(t, coloured), ""},
		"deep.png":     {wa.VariableImage, pngOf(t, deep), "16 bits"},
		"grey.png":     {wa.VariableImage, pngOf(t, image.NewGray(square)), "grey"},
		"palette.png":  {wa.VariableImage, pngOf(t, image.NewPaletted(square, color.Palette{color.Black, color.White})), "palette"},
		"grey.jpg":     {wa.VariableImage, jpegOf(t, image.NewGray(square)), "grey"},
		"print.jpg":    {wa.VariableImage, cmyk, "CMYK"},
		"cut.png":      {wa.VariableImage, pngOf(t, coloured)[:60], "cut off"},
		"cut.jpg":      {wa.VariableImage, jpegOf(t, coloured)[:20], "damaged"},
		"a.gif":        {wa.VariableImage, animated.Bytes(), "a GIF image"},
		"a.webp":       {wa.VariableImage, []byte("RIFF\x00\x00\x00\x00WEBPVP8 "), "a WebP image"},
		"a.heic":       {wa.VariableImage, []byte("\x00\x00\x00\x18ftypheic\x00\x00"), "HEIC"},
		"text.png":     {wa.VariableImage, []byte("hello"), "not an image"},
		"large.png":    {wa.VariableImage, append(pngOf(t, coloured), make([]byte, maxImage)...), "larger than 5 MB"},
		"empty.png":    {wa.VariableImage, nil, "empty"},
		"a.mp4":        {wa.VariableVideo, whole, ""},
		"silent.mp4":   {wa.VariableVideo, mp4Of(picture), ""},
		"hevc.mp4":     {wa.VariableVideo, mp4Of(mp4Track("vide", mp4Box("hvc1", make([]byte, 78))), sound), "H.265"},
		"odd.mp4":      {wa.VariableVideo, mp4Of(mp4Track("vide", mp4Box("q\x1b[m", make([]byte, 78)))), "a video in q[m, "},
		"mp3.mp4":      {wa.VariableVideo, mp4Of(picture, mp4Track("soun", mp4Sound(0x6b))), "MP3"},
		"amr.3gp":      {wa.VariableVideo, mp4Of(picture, mp4Track("soun", mp4Box("samr", make([]byte, 28)))), "AMR"},
		"two.mp4":      {wa.VariableVideo, mp4Of(picture, sound, sound), "2 tracks of sound"},
		"sound.mp4":    {wa.VariableVideo, mp4Of(sound), "no picture"},
		"cut.mp4":      {wa.VariableVideo, whole[:len(whole)-20], "damaged or cut off"},
		"a.mov":        {wa.VariableVideo, []byte("\x00\x00\x00\x08wide\x00\x00\x00\x00"), "not an MP4"},
		"large.mp4":    {wa.VariableVideo, append(bytes.Clone(whole), make([]byte, maxVideo)...), "larger than 16 MB"},
		"a.pdf":        {wa.VariableDocument, []byte("%PDF-1.7\n"), ""},
		"fake.pdf":     {wa.VariableDocument, []byte("PK\x03\x04"), "called a PDF"},
		"a.docx":       {wa.VariableDocument, []byte("PK\x03\x04"), "not a PDF; WhatsApp takes it in chats"},
		"a.exe":        {wa.VariableDocument, []byte("MZ"), "not a PDF"},
		"a\x1b[2J.exe": {wa.VariableDocument, []byte("MZ"), "a[2J.exe: not a PDF"},
		"place":        {wa.VariableLocation, nil, "has no file"},
	} {
		found := CheckMedia(c.kind, bytes.NewReader(c.data), name)
		switch {
		case c.want == "" && len(found) > 0:
			t.Errorf("%s: %+v", name, found)
		case c.want != "" && (len(found) != 1 || !strings.Contains(found[0].Text, c.want)):
			t.Errorf("%s: %+v, want %s", name, found, c.want)
		}
	}
	if found := CheckMedia(wa.VariableDocument, io.LimitReader(endless{}, 1<<40), "endless.pdf"); len(found) != 1 || !strings.Contains(found[0].Text, "larger than 100 MB") {
		t.Error(found)
	}
	if found := CheckMedia(wa.VariableImage, io.MultiReader(strings.NewReader("x"), failing{}), "a.png"); len(found) != 1 || !strings.Contains(found[0].Text, "it cannot be read: no disk") {
		t.Error(found)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("no disk") }

func FuzzMedia(f *testing.F) {
	square := image.NewNRGBA(image.Rect(0, 0, 2, 2))
	f.Add(pngOf(f, square))
	f.Add(jpegOf(f, square))
	f.Add(mp4Of(mp4Track("vide", mp4Box("avc1", make([]byte, 78))), mp4Track("soun", mp4Sound(0x40))))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, kind := range []string{wa.VariableImage, wa.VariableVideo, wa.VariableDocument} {
			for _, found := range CheckMedia(kind, bytes.NewReader(data), "medium") {
				if wa.Clean(found.Text) != found.Text {
					t.Errorf("not clean: %q", found.Text)
				}
			}
		}
	})
}
