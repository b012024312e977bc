package fallback

import "tickwatch/wa"

// Quote is what a message would cost, by the price table.
type Quote struct {
	Segments int      // parts of an SMS; 1 for a call or an e-mail
	Encoding Encoding // of an SMS; "" for others
	Forced   []rune   // characters that forced UCS-2, each once, in the text's order
	Country  string   // ISO 3166 code that the price is for; "" = the number belongs to none
	Price    wa.Money // of all segments
	Currency string   // ISO 4217

	// Unpriced says why no price is known, for the operator; then Price and Currency
	// are empty and the person is to be left out. "" = there is a price.
	Unpriced string
}

// quoteFor prices a message of a channel.
func quoteFor(channel string, prices *Prices, m *wa.FallbackMessage) Quote {
	q := Quote{Segments: 1}
	if channel == wa.ChannelSMS {
		s := Split(m.Text)
		q.Segments, q.Encoding, q.Forced = len(s.Parts), s.Encoding, s.Forced
	}
	if channel != wa.ChannelEmail {
		q.Country = countryOf(m.To)
	}
	each, why := prices.of(q.Country, m.To)
	if why != "" {
		q.Unpriced = why
		return q
	}
	q.Price, q.Currency = each*wa.Money(q.Segments), prices.currency
	return q
}
