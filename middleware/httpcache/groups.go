package httpcache

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/dunglas/httpsfv"
)

// parseGroups reads a field of RFC 9875, which is a List of Strings (RFC 9651).
// One that is not is ignored, parameters too.
func parseGroups(lines []string) []string {
	if len(lines) == 0 {
		return nil
	}
	list, err := structured(httpsfv.UnmarshalList, lines)
	if err != nil {
		return nil
	}
	groups := make([]string, 0, len(list))
	for _, m := range list {
		item, ok := m.(httpsfv.Item)
		if !ok {
			return nil
		}
		name, ok := item.Value.(string)
		if !ok {
			return nil
		}
		groups = append(groups, name)
	}
	return groups
}

// groupTag begins the tags of groups. No tag of a user's begins like it, and no URL's.
const groupTag = "\x00group "

// groupTags are the tags by which the answers of groups are found. A group is one
// of an origin (RFC 9875, section 2.1). A field may name 64 groups of 256 bytes,
// where the RFC asks for 32 of 32.
func groupTags(url string, lines []string) (tags []string, usable bool) {
	groups := parseGroups(lines)
	if len(groups) > maxTags || slices.ContainsFunc(groups, func(g string) bool { return len(g) > maxTagBytes }) {
		return nil, false
	}
	for _, g := range groups {
		tags = append(tags, groupTag+originOf(url)+" "+g)
	}
	return tags, true
}

// originOf is the scheme and the authority of a URL that appendURL wrote.
func originOf(url string) string {
	scheme, rest, _ := strings.Cut(url, "://")
	authority, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + authority
}

// group puts an answer into the groups that it names. If there are too many, the
// answer can't be stored, because it could not be invalidated with them.
func (l *lookup) group(e *entry) bool {
	if !l.settings.groups {
		return true
	}
	tags, usable := groupTags(l.place.url, e.header.lines("Cache-Groups"))
	for _, t := range e.tags {
		if !strings.HasPrefix(t, groupTag) {
			tags = append(tags, t)
		}
	}
	e.tags = tags
	return usable
}

// invalidateGroups removes what is stored of the groups that the answer to an
// unsafe request names (RFC 9875, section 3), whatever its status: the origin says so.
func (l *lookup) invalidateGroups(ctx context.Context, req *http.Request, resp *http.Response) {
	lines := resp.Header["Cache-Group-Invalidation"]
	if !l.settings.groups || len(lines) == 0 {
		return
	}
	tags, _ := groupTags(string(appendURL(nil, req)), lines)
	if len(tags) == 0 {
		return
	}
	l.invalidated(ctx, l.cache.shelf.purge(func() error {
		var errs []error
		for _, tag := range tags {
			errs = append(errs, l.cache.shelf.keeper.purgeTag(ctx, tag))
		}
		return errors.Join(errs...)
	}))
}
