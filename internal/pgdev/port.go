package pgdev

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"net"
	"strconv"
)

// choosePort returns want or, if that is 0, a free loopback port. The port is below the ranges from
// which Linux and macOS take the ports of outgoing connections. Otherwise such a connection could
// have it while a server restarts.
func choosePort(ctx context.Context, want int) (int, error) {
	if want != 0 {
		return want, nil
	}
	const lowest, highest, attempts = 15000, 32000, 100
	for range attempts {
		offset, err := rand.Int(rand.Reader, big.NewInt(highest-lowest))
		if err != nil {
			return 0, fmt.Errorf("choosing a port: %w", err)
		}
		port := lowest + int(offset.Int64())
		var config net.ListenConfig
		listener, err := config.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue // taken
		}
		if err := listener.Close(); err != nil {
			return 0, fmt.Errorf("choosing a port: %w", err)
		}
		return port, nil
	}
	return 0, fmt.Errorf("choosing a port: none of %d tried between %d and %d is free", attempts, lowest, highest)
}
