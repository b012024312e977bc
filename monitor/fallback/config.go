package fallback

import (
	"crypto/x509"
	"log/slog"

	"tickwatch/wa"
)

// Providers that a channel can be given to.
const (
	ProviderKannel = "kannel" // SMS
	ProviderTwilio = "twilio" // SMS, voice
	ProviderBird   = "bird"   // SMS, voice
	ProviderVonage = "vonage" // SMS
	ProviderHTTP   = "http"   // SMS, voice: a gateway that Gateway describes
	ProviderSMTP   = "smtp"   // e-mail
)

// Config says who reaches people. The comments name the keys of the configuration;
// errors of New do too.
type Config struct {
	PublicURL string // webhook.public_url: what providers call, and what some of them sign

	SMS   Channel // [fallback.sms]
	Voice Channel // [fallback.voice]
	Email Channel // [fallback.email]

	Roots *x509.CertPool // who may vouch for the providers; nil = whom the system trusts
	Log   *slog.Logger   // answers that were no acceptance, at level debug; nil = silent
}

// Channel is the configuration of one channel. Which fields a provider needs is
// said at each; it does not look at the others.
type Channel struct {
	Provider string // provider: one of the constants above; "" = the channel is off

	// URL (url) is where the provider is: https, or http on loopback; "" is the
	// provider's own address, which Kannel and a gateway do not have. By SMTP it is
	// host:port.
	URL string

	Account   string // account: Twilio's account SID (AC…); Bird's workspace id
	ChannelID string // channel_id: Bird's channel id

	// User (user) is Kannel's username, Vonage's API key, SMTP's log-in, and Twilio's
	// API key SID (SK…), "" = the account itself.
	User string

	// Password (password) is what goes with User: Kannel's password, Twilio's auth
	// token or the API key's secret, Bird's access key, Vonage's API secret, SMTP's
	// password; a gateway's, where its header or body names {password}.
	Password wa.Secret

	// SigningKeys (signing_key) check callbacks; several during a rotation. Twilio's
	// auth token (none = Password, where User is empty), Bird's signing key, Vonage's
	// signature secret, the secret of a gateway's HMAC. Bird and Twilio need one;
	// without one Vonage's and a gateway's receipts are told by the attempt's token
	// alone, and their replies by ReplyToken.
	SigningKeys []wa.Secret

	// SignatureMethod (signature_method) is Vonage's: md5hash, which is its default,
	// or the HMAC of md5, sha1, sha256 or sha512.
	SignatureMethod string

	// Sender (sender) is whom people see: a number, a name, for Twilio also a
	// messaging service (MG…); by e-mail an address, "Shop <news@shop.example>". Bird
	// has it in the channel.
	Sender string

	// ReplyToken (reply_token) is what …/reply?token= must carry where the provider
	// signs nothing; 16 characters or more. Without it such replies are refused.
	ReplyToken wa.Secret

	Language string // language: of spoken texts that do not say theirs (pt-PT); "" = en-US
	Voice    string // voice: Twilio's or Bird's name of the voice; "" = the provider's own

	ReplyTo         string // reply_to: of e-mail; "" = Sender
	UnsubscribeText string // unsubscribe_text: what stands before the link to opt out; "" = in English
	TLS             string // tls: of SMTP: starttls, which is the default, tls, or none on loopback

	Gateway Gateway // of ProviderHTTP: [fallback.sms.gateway], [fallback.voice.gateway]

	// Prices (prices, currency) are what messages cost; nil = no price is known, and
	// nobody can be quoted for.
	Prices *Prices
}

// Gateway describes a gateway that speaks HTTP. In its texts {to}, {digits} (the
// number without the plus), {text}, {sender}, {language}, {attempt}, {callback} (the
// address for receipts), {user} and {password} stand for their values.
//
// Fields of answers and callbacks are named by their path in JSON, with dots
// ("messages.0.id"), or by the name of a form or query value.
type Gateway struct {
	Method  string   // method: POST, which is the default, or GET
	Headers []string // headers: "Authorization: Bearer {password}"

	// Body (body) is a form ("to={digits}&text={text}") or JSON
	// ({"to":"{to}","text":"{text}"}); values are escaped for where they stand. For GET
	// it is the query, and {password} must stand in a header.
	Body string

	// What an answer means, in this order: by its status, or by the value of
	// AnswerField: ["429", "busy"]. An answer of 2xx that says none of it is
	// accepted, one of 4xx rejected, any other unknown.
	OptedOut    []string // opted_out
	Throttled   []string // throttled
	Rejected    []string // rejected
	Accepted    []string // accepted; where it is set, 2xx alone is not enough
	AnswerField string   // answer_field
	IDField     string   // id_field: the gateway's id of the message
	ErrorField  string   // error_field: its words of what is wrong

	// Receipts.
	StateField     string   // state_field; "" = the gateway sends none
	StateQueued    []string // state_queued: values of StateField, whatever their case
	StateSent      []string // state_sent
	StateFailed    []string // state_failed
	StateDelivered []string // state_delivered
	ReceiptID      string   // receipt_id_field
	ReceiptError   string   // receipt_error_field

	// Replies.
	FromField  string // from_field; "" = the gateway hands on none
	TextField  string // text_field
	ReplyField string // reply_id_field

	// SignatureHeader (signature_header) carries the HMAC-SHA256 of a callback's body,
	// or of its query string where it has none, by SigningKeys: in hexadecimal or
	// base64, also after "sha256=". "" = nothing is signed.
	SignatureHeader string
}
