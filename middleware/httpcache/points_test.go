package httpcache_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware/httpcache"
)

// points are what the cache has to be right about, and the tests that show it.
var points = []struct {
	what  string
	tests []string
}{
	{"directives: quotes, case, several lines, duplicates, delta-seconds", []string{"TestRFC9111_5_2_Directives", "FuzzDirectives"}},
	{"Age: the first member, malformed, response delay, the upstream's counts", []string{"TestRFC9111_5_1_Age", "TestRFC9111_4_2_3_InitialAge"}},
	{"dates: strict, an invalid Expires is stale", []string{"TestRFC9110_5_6_7_Date", "FuzzDate"}},
	{"lifetime: targeted, s-maxage, max-age, Expires, heuristic", []string{"TestRFC9213_2_TargetedFields", "TestRFC9213_2_2_Lifetime", "TestRFC9111_4_2_1_Lifetime", "FuzzTargeted"}},
	{"a no-store answer leaves what is stored", []string{"TestRFC9111_5_2_2_5_NoStoreLeavesWhatIsStored"}},
	{"what has to be revalidated is never stale, and 504 where nobody can be asked", []string{"TestRFC9111_5_2_2_2_UnreachableIs504", "TestRFC5861_3_NotWhileRevalidating", "TestRFC5861_4_NotIfError", "TestDecideNeverServesWhatIsForbidden"}},
	{"Vary: all lines, *, several variants, absent and empty, bounded", []string{"TestRFC9111_4_1_Vary", "TestRFC9111_4_1_Variants", "TestVariantsAreBounded", "FuzzVary"}},
	{"revalidation: merged conditions, all variants offered, what a 304 leaves", []string{"TestRFC9111_4_3_2_CallersConditionsAreMerged", "TestRFC9111_4_1_AllVariantsAreOffered", "TestRFC9111_4_3_Revalidation"}},
	{"the caller's own conditions", []string{"TestConditionalRequestGets304", "TestRFC9110_13_Conditions"}},
	{"HEAD: from GET, freshens, never makes a body", []string{"TestHeadIsServedFromAStoredGet", "TestRFC9111_4_3_5_Head", "TestHeadNeverMakesAnAnswer"}},
	{"invalidation by unsafe methods", []string{"TestRFC9111_4_4_Invalidation"}},
	{"ranges", []string{"TestRFC9110_14_Range", "TestRangeOfWhatIsNotStored", "FuzzRange"}},
	{"a shared cache and Authorization, Set-Cookie", []string{"TestRFC9111_3_Storable"}},
	{"request directives and Pragma", []string{"TestRFC9111_5_2_1_RequestDirectives"}},
	{"stale while revalidating, stale if error", []string{"TestRFC5861_3_StaleWhileRevalidate", "TestRFC5861_4_StaleIfError", "TestRefreshIsDetached", "TestRefreshesAreBounded"}},
	{"collapsing", []string{"TestConcurrentMissesMakeOneRequest", "TestLeadersCancelDoesNotKillTheFollowers", "TestUncacheableAnswerReleasesTheFollowersInParallel"}},
	{"1xx and httptrace go on, fields of the connection are not stored", []string{"TestRFC9110_15_2_InterimResponses", "TestRFC9111_3_1_StoredFields"}},
	{"Cache-Status", []string{"TestRFC9211_2_CacheStatus", "TestEveryDetailIsDocumented", "TestMissStatus"}},
	{"QUERY and Cache-Groups, if switched on", []string{"TestRFC10008_Query", "TestQueryIsOptIn", "TestRFC9875_3_CacheGroupInvalidation"}},
}

// Each of the points has its tests, and those exist.
func TestEachPointHasItsTests(t *testing.T) {
	require.Len(t, points, 19)
	have := map[string]bool{}
	for _, f := range sources(t, "_test.go") {
		for _, decl := range f.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok {
				have[f.Name.Name] = true
			}
		}
	}
	for i, p := range points {
		for _, test := range p.tests {
			require.True(t, have[test], "point %d, %s: there is no %s", i+1, p.what, test)
		}
	}
}

// sources are the parsed files of the package whose names end so.
func sources(t *testing.T, suffix string) (files []*ast.File) {
	names, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, name := range names {
		if strings.HasSuffix(name.Name(), suffix) {
			f, err := parser.ParseFile(token.NewFileSet(), name.Name(), nil, 0)
			require.NoError(t, err)
			files = append(files, f)
		}
	}
	return files
}

// Every reason that Cache-Status can give, as the code has it, is on the stage's page.
func TestEveryDetailIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/stages/cache.md")
	require.NoError(t, err)
	found := 0
	for _, f := range sources(t, ".go") {
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || !regexp.MustCompile(`^(why|fwd)[A-Z]`).MatchString(spec.Names[0].Name) {
				return true
			}
			if lit, ok := spec.Values[0].(*ast.BasicLit); ok {
				found++
				require.Contains(t, string(page), "`"+strings.Trim(lit.Value, `"`)+"`", spec.Names[0].Name)
			}
			return true
		})
	}
	require.Greater(t, found, 25)
}

// RFC 9211, section 2.8; caching.md 18: the key, when it is asked for. It is the
// same for the same key only, and says nothing of the query.
func TestRFC9211_2_CacheStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := always(200, "x", "Cache-Control", "max-age=60")
		c := newClient(t, up, func(c *httpcache.Config) { c.StatusKey = true })
		ask := func(query string, header ...string) (key, rest string) {
			cached := c.do(t.Context(), "GET", pageURL+"?"+query, "", header...).cached
			m := regexp.MustCompile(`; key="([0-9a-f]{16})"`).FindStringSubmatch(cached)
			require.NotNil(t, m, cached)
			return m[1], strings.Replace(cached, m[0], "", 1)
		}
		miss, rest := ask("token=secret")
		require.Equal(t, firstMiss, rest)
		hit, rest := ask("token=secret")
		require.Equal(t, freshHit, rest)
		require.Equal(t, miss, hit)
		other, _ := ask("token=other")
		require.NotEqual(t, miss, other)
		theirs, _ := ask("token=secret", "Authorization", "x")
		require.NotEqual(t, miss, theirs)
		require.Equal(t, "headgate; fwd=method", c.do(t.Context(), http.MethodPost, pageURL, "x").cached)
	})
}

// RFC 9111, section 5.2.2.5; caching.md 5: an answer that may not be stored leaves
// the one that is, unless it was asked whether that is still good.
func TestRFC9111_5_2_2_5_NoStoreLeavesWhatIsStored(t *testing.T) {
	for _, value := range []string{"no-store", "no-store, max-age=0"} {
		bubble(t, value, func(t *testing.T) {
			up := sequence(page("old", "Cache-Control", "max-age=60", "ETag", `"a"`), page("new", "Cache-Control", value))
			c := newClient(t, up, nil)
			c.get()
			require.Equal(t, "new", c.get("Cache-Control", "no-cache").body)
			r := c.get()
			require.Equal(t, "old", r.body)
			require.Equal(t, freshHit, r.cached)
		})
	}
}
