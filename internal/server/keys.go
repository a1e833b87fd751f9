package server

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/attestd/attestd/internal/api"
	"github.com/attestd/attestd/internal/store"
)

// keys makes, lists and revokes API keys.
func (p Program) keys(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	command, args := args[0], args[1:]
	flags := p.flags("keys " + command)
	name := flags.String("name", "", "who will hold the key")
	role := flags.String("role", "", "operator or viewer")
	if err := flags.Parse(args); err != nil {
		return errUsage
	}
	url, err := LoadDatabaseURL(p.Environ)
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, store.Config{DatabaseURL: url})
	if err != nil {
		return err
	}
	defer s.Close()
	switch command {
	case "create":
		return p.createKey(ctx, s, flags, *name, api.Role(*role))
	case "list":
		return p.listKeys(ctx, s)
	case "revoke":
		if flags.NArg() != 1 {
			return errUsage
		}
		return s.RevokeKey(ctx, flags.Arg(0))
	default:
		return errUsage
	}
}

func (p Program) createKey(ctx context.Context, s *store.Store, flags *flag.FlagSet, name string, role api.Role) error {
	switch {
	case flags.NArg() > 0:
		return errUsage
	case name == "":
		return errors.New("keys create: -name is missing: say who will hold the key")
	case !fitName(name):
		return fmt.Errorf("keys create: -name must be one line of text, of %d characters at most", maxKeyName)
	case !role.Valid():
		return fmt.Errorf("keys create: -role %q is neither operator nor viewer", role)
	}
	plain, sum := api.NewKey()
	if err := s.CreateKey(ctx, name, store.Role(role), sum); err != nil {
		return err
	}
	fmt.Fprintln(p.Stdout, plain)
	return nil
}

// maxKeyName is how many characters the name of a key may have.
const maxKeyName = 64

// fitName refuses a name that would break the lists and histories which show it.
func fitName(name string) bool {
	unfit := func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }
	return utf8.RuneCountInString(name) <= maxKeyName && strings.TrimSpace(name) == name && !strings.ContainsFunc(name, unfit)
}

func (p Program) listKeys(ctx context.Context, s *store.Store) error {
	keys, err := s.Keys(ctx)
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(p.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "NAME\tROLE\tCREATED\tREVOKED")
	for _, k := range keys {
		revoked := ""
		if !k.RevokedAt.IsZero() {
			revoked = k.RevokedAt.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", k.Name, k.Role, k.CreatedAt.UTC().Format(time.RFC3339), revoked)
	}
	return out.Flush()
}

// apiKeys lets the API look its keys up in the store.
type apiKeys struct{ store *store.Store }

func (k apiKeys) Authenticate(ctx context.Context, sum [sha256.Size]byte) (api.Key, error) {
	key, err := k.store.KeyBySHA256(ctx, sum)
	if errors.Is(err, store.ErrNoKey) {
		return api.Key{}, api.ErrUnknownKey
	}
	return api.Key{Name: key.Name, Role: api.Role(key.Role)}, err
}
