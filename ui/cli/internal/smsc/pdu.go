package smsc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// command is a command_id (SMPP 3.4, 5.1.2.1). That of an answer has its highest
// bit set.
type command uint32

const (
	answer          command = 0x80000000
	genericNack     command = 0x80000000
	bindReceiver    command = 0x00000001
	bindTransmitter command = 0x00000002
	submitSM        command = 0x00000004
	deliverSM       command = 0x00000005
	unbind          command = 0x00000006
	bindTransceiver command = 0x00000009
	enquireLink     command = 0x00000015
)

// status is a command_status (SMPP 3.4, 5.1.3).
type status uint32

const (
	ok               status = 0x00
	invalidLength    status = 0x02 // ESME_RINVCMDLEN
	invalidCommand   status = 0x03 // ESME_RINVCMDID
	wrongBindState   status = 0x04 // ESME_RINVBNDSTS
	alreadyBound     status = 0x05 // ESME_RALYBND
	invalidAddressee status = 0x0b // ESME_RINVDSTADR
	invalidPassword  status = 0x0e // ESME_RINVPASWD
	invalidSystemID  status = 0x0f // ESME_RINVSYSID
	submitFailed     status = 0x45 // ESME_RSUBMITFAIL
	throttled        status = 0x58 // ESME_RTHROTTLED
)

// Tags of optional parameters (SMPP 3.4, 5.3.2).
const (
	tagReceiptedID      = 0x001e
	tagInterfaceVersion = 0x0210
	tagPayload          = 0x0424
	tagMessageState     = 0x0427
)

// interfaceVersion says SMPP 3.4.
const interfaceVersion = 0x34

// Sizes in octets. maxPDU holds a message_payload, the longest of all fields, and
// whatever may stand beside it.
const (
	headerSize = 16
	maxPDU     = 1<<16 + 1024
	maxText    = 254 // short_message
)

var (
	errLength = errors.New("a PDU's length is out of bounds")
	errBody   = errors.New("a PDU's body is not what its command asks for")
)

// pdu is one protocol data unit.
type pdu struct {
	command  command
	status   status
	sequence uint32
	body     []byte
}

// readPDU reads the next one. With errLength the header is given all the same,
// and what follows cannot be told from noise.
func readPDU(r io.Reader) (pdu, error) {
	var head [headerSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return pdu{}, err
	}
	size := binary.BigEndian.Uint32(head[:])
	p := pdu{
		command:  command(binary.BigEndian.Uint32(head[4:])),
		status:   status(binary.BigEndian.Uint32(head[8:])),
		sequence: binary.BigEndian.Uint32(head[12:]),
	}
	if size < headerSize || size > maxPDU {
		return p, fmt.Errorf("%w: %d", errLength, size)
	}
	p.body = make([]byte, size-headerSize)
	if _, err := io.ReadFull(r, p.body); err != nil {
		return p, fmt.Errorf("a PDU ends early: %w", err)
	}
	return p, nil
}

// encode is the PDU as it goes over the wire.
func (p *pdu) encode() []byte {
	b := make([]byte, 0, headerSize+len(p.body))
	b = binary.BigEndian.AppendUint32(b, uint32(headerSize+len(p.body))) //nolint:gosec // a body is shorter than maxPDU
	b = binary.BigEndian.AppendUint32(b, uint32(p.command))
	b = binary.BigEndian.AppendUint32(b, uint32(p.status))
	b = binary.BigEndian.AppendUint32(b, p.sequence)
	return append(b, p.body...)
}

// fields reads the fields of a body one after the other. After one that is not
// there, or too long, all are empty and bad is set.
type fields struct {
	rest []byte
	bad  bool
}

func (f *fields) fail() {
	f.rest, f.bad = nil, true
}

func (f *fields) octet() byte {
	if b := f.octets(1); b != nil {
		return b[0]
	}
	return 0
}

// octets reads n of them; nil = there are not so many.
func (f *fields) octets(n int) []byte {
	if n > len(f.rest) {
		f.fail()
		return nil
	}
	b := f.rest[:n:n]
	f.rest = f.rest[n:]
	return b
}

// text reads a C-octet string of at most size octets, its NUL included.
func (f *fields) text(size int) string {
	end := slices.Index(f.rest[:min(size, len(f.rest))], 0)
	if end < 0 {
		f.fail()
		return ""
	}
	s := string(f.rest[:end])
	f.rest = f.rest[end+1:]
	return s
}

// tlv is an optional parameter.
type tlv struct {
	tag   uint16
	value []byte
}

// options reads the optional parameters: all that is left.
func (f *fields) options() (options []tlv) {
	for len(f.rest) > 0 && !f.bad {
		head := f.octets(4)
		if head == nil {
			break
		}
		value := f.octets(int(binary.BigEndian.Uint16(head[2:])))
		if !f.bad {
			options = append(options, tlv{binary.BigEndian.Uint16(head), value})
		}
	}
	return options
}

func appendText(b []byte, s string) []byte {
	return append(append(b, strings.ReplaceAll(s, "\x00", "")...), 0)
}

func appendOption(b []byte, o tlv) []byte {
	b = binary.BigEndian.AppendUint16(b, o.tag)
	b = binary.BigEndian.AppendUint16(b, uint16(len(o.value))) //nolint:gosec // ours are short, and those that were read had such a length
	return append(b, o.value...)
}

// address is a number with its type and plan (SMPP 3.4, 5.2.5 and 5.2.6).
type address struct {
	ton, npi byte
	digits   string
}

// international is the type of a number in E.164, which stands without its plus.
const (
	international = 1
	planE164      = 1
	alphanumeric  = 5
)

// number is the address of a phone as people write it.
func number(s string) address {
	if digits, plus := strings.CutPrefix(s, "+"); plus {
		return address{international, planE164, digits}
	}
	if strings.Trim(s, "0123456789") == "" {
		return address{0, planE164, s}
	}
	return address{alphanumeric, 0, s}
}

func (a address) String() string {
	if a.ton == international {
		return "+" + a.digits
	}
	return a.digits
}

// shortMessage is the body of a submit_sm or deliver_sm: both have the same
// fields (SMPP 3.4, 4.4.1 and 4.6.1). Those that nobody here asks for are left
// out: they are read over, and written as zero.
type shortMessage struct {
	from, to   address
	class      byte // esm_class
	registered byte // registered_delivery
	coding     byte // data_coding
	text       []byte
	options    []tlv
}

// Bits of an esm_class (SMPP 3.4, 5.2.12).
const (
	classReceipt = 0x04 // of a deliver_sm: it is a delivery receipt
	classHeader  = 0x40 // the text begins with a user data header
)

func parseShortMessage(body []byte) (shortMessage, error) {
	f := fields{rest: body}
	var m shortMessage
	f.text(6) // service_type
	m.from = address{f.octet(), f.octet(), f.text(21)}
	m.to = address{f.octet(), f.octet(), f.text(21)}
	m.class = f.octet()
	f.octets(2) // protocol_id, priority_flag
	f.text(17)  // schedule_delivery_time
	f.text(17)  // validity_period
	m.registered = f.octet()
	f.octet() // replace_if_present_flag
	m.coding = f.octet()
	f.octet() // sm_default_msg_id
	length := int(f.octet())
	m.text = f.octets(length)
	m.options = f.options()
	if f.bad || length > maxText {
		return shortMessage{}, errBody
	}
	if length == 0 { // then it may stand in message_payload
		if i := slices.IndexFunc(m.options, func(o tlv) bool { return o.tag == tagPayload }); i >= 0 {
			m.text = m.options[i].value
		}
	}
	return m, nil
}

func (m *shortMessage) encode() []byte {
	b := appendText(nil, "")
	for _, a := range []address{m.from, m.to} {
		b = appendText(append(b, a.ton, a.npi), a.digits)
	}
	b = append(b, m.class, 0, 0)
	b = appendText(appendText(b, ""), "")
	b = append(b, m.registered, 0, m.coding, 0, byte(len(m.text))) //nolint:gosec // nothing longer than maxText is made
	b = append(b, m.text...)
	for _, o := range m.options {
		b = appendOption(b, o)
	}
	return b
}
