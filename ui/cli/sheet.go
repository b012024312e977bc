package cli

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"tickwatch/monitor/notify"
	"tickwatch/store"
)

// on tells whether there is a sheet.
func (s SheetConfig) on() bool { return s.SpreadsheetID != "" }

// openSheet makes ready what appends the rejected list to a Google Sheet; nil when
// none is configured.
func openSheet(cfg SheetConfig, queue *store.Store, now func() time.Time, log *slog.Logger) (*notify.Sheet, error) {
	if !cfg.on() {
		return nil, nil
	}
	account, err := notify.ReadAccount(cfg.ServiceAccountFile)
	if err != nil {
		return nil, fmt.Errorf("sheet.service_account_file: %w", err)
	}
	return notify.NewSheet(notify.SheetOptions{
		Queue: queue, Spreadsheet: cfg.SpreadsheetID, Range: cfg.Range, Account: account, URL: cfg.URL, Now: now, Log: log,
	})
}

// checkSheet reads the service account and asks Google once whether the sheet can
// be read; whether it may be written only the first row tells.
func checkSheet(ctx context.Context, cfg SheetConfig) check {
	if !cfg.on() {
		return fine("no sheet is configured")
	}
	sheet, err := openSheet(cfg, nil, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		return ill(err.Error(), "correct the section [sheet] of the configuration")
	}
	if err := sheet.Probe(ctx); err != nil {
		return ill(err.Error(), "mend that; rows wait on the disk until then")
	}
	return fine("%s can be read as the service account; see that the account may edit it", cfg.Range)
}
