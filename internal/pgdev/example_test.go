package pgdev_test

import (
	"context"
	"fmt"
	"log"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/pgdev"
)

func ExampleStart() {
	ctx := context.Background()
	server, err := pgdev.Start(ctx, pgdev.Options{Settings: map[string]string{"work_mem": "8MB"}})
	if err != nil {
		log.Fatal(err)
	}
	conn, err := pgx.Connect(ctx, server.URL(""))
	if err != nil {
		log.Fatal(err)
	}
	var memory string
	fmt.Println(conn.QueryRow(ctx, "SHOW work_mem").Scan(&memory), memory)
	fmt.Println(conn.Close(ctx), server.Stop())
	// Output:
	// <nil> 8MB
	// <nil> <nil>
}
