package wa

import (
	"encoding/json"
	"strings"
)

// maxKey bounds a campaign key; Meta allows 512 characters of callback data.
const maxKey = 128

// CampaignKey reads the campaign from a message's biz_opaque_callback_data: the
// JSON member campaign or campaign_id, else the text before the first colon,
// else the whole text. False when there is none. That a key is unique to each
// message, and so no key at all, only the sight of several messages can tell:
// the store judges that.
func CampaignKey(callback string) (string, bool) {
	s := strings.TrimSpace(callback)
	if strings.HasPrefix(s, "{") {
		var m struct {
			Campaign   any `json:"campaign"`
			CampaignID any `json:"campaign_id"`
		}
		d := json.NewDecoder(strings.NewReader(s))
		d.UseNumber()
		if d.Decode(&m) != nil {
			return "", false
		}
		for _, v := range [...]any{m.Campaign, m.CampaignID} {
			switch v := v.(type) {
			case string:
				if key, ok := validKey(v); ok {
					return key, true
				}
			case json.Number:
				return validKey(v.String())
			}
		}
		return "", false
	}
	key, _, _ := strings.Cut(s, ":")
	return validKey(key)
}

func validKey(s string) (string, bool) {
	s = strings.TrimSpace(s)
	return s, s != "" && len(s) <= maxKey
}
