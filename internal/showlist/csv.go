package showlist

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/object"
)

// readCSV reads a header line and a show from each record, which may go over several lines where cells are quoted.
func (l *list) readCSV(data []byte) {
	reader := csv.NewReader(bytes.NewReader(data))
	reader.ReuseRecord = true
	reader.FieldsPerRecord = -1 // we count ourselves, to tell what was expected
	var columns []string
	for {
		begin := reader.InputOffset()
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if bad, ok := errors.AsType[*csv.ParseError](err); ok {
			l.faults.add(bad.StartLine, quoteFault(bad))
			return // where the next record begins is not known
		}
		line, _ := reader.FieldPos(0)
		switch {
		case columns == nil:
			if columns = header(cells); !l.checkHeader(line, columns) {
				return
			}
		case l.tooLong(line, int(reader.InputOffset()-begin)):
		case len(cells) != len(columns):
			l.faults.add(line, invalid.NewMalformed("", "cells", fmt.Sprintf("has %d cells, and the header has %d", len(cells), len(columns))))
		default:
			var s Show
			err := object.DecodeRow(columns, cells, &s)
			l.add(line, s, err)
		}
	}
}

// header returns a copy of the names in a header line.
func header(cells []string) []string {
	columns := make([]string, len(cells))
	for i, cell := range cells {
		columns[i] = strings.TrimSpace(cell)
	}
	return columns
}

func (l *list) checkHeader(line int, columns []string) bool {
	err := object.CheckColumns(columns, &Show{})
	if err != nil {
		l.faults.add(line, err)
	}
	return err == nil
}

// quoteFault says what is wrong with a record that cannot be taken apart.
func quoteFault(bad *csv.ParseError) error {
	message := "a cell that begins with a quote is not closed by one"
	if errors.Is(bad.Err, csv.ErrBareQuote) {
		message = "there is a quote within a cell that has none around it"
	}
	return invalid.NewMalformed("", "quote", fmt.Sprintf("%s (line %d, column %d); what follows was not checked", message, bad.Line, bad.Column))
}
