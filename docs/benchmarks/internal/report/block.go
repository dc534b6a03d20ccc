package report

import (
	"fmt"
	"os"
	"strings"
)

// Replace puts text into the page between the lines that begin with
// "<!-- name:" and "<!-- /name". Nothing is written if they are not there.
func Replace(page, name, text string) error {
	data, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	changed, err := replace(string(data), name, text)
	if err != nil {
		return fmt.Errorf("%s: %w", page, err)
	}
	return os.WriteFile(page, []byte(changed), 0o600) // the mode of a page that is there stays
}

func replace(page, name, text string) (string, error) {
	begin, end := "<!-- "+name+":", "<!-- /"+name
	before, rest, found := strings.Cut(page, begin)
	if !found {
		return "", fmt.Errorf("there is no line %q", begin)
	}
	mark, rest, _ := strings.Cut(rest, "\n")
	_, after, found := strings.Cut(rest, end)
	if !found {
		return "", fmt.Errorf("there is no line %q after %q", end, begin)
	}
	return before + begin + mark + "\n\n" + strings.TrimSpace(text) + "\n\n" + end + after, nil
}
