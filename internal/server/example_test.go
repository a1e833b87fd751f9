package server_test

import (
	"context"
	"fmt"
	"os"

	"github.com/attestd/attestd/internal/server"
)

func ExampleProgram_Main() {
	program := server.Program{Args: []string{"version"}, Stdout: os.Stdout, Stderr: os.Stderr}
	fmt.Println(program.Main(context.Background()))
	// Output:
	// unknown
	// 0
}

func ExampleLoadConfig() {
	_, err := server.LoadConfig([]string{
		"DATABASE_URL=postgres://localhost/attestd",
		"TWILIO_ACCOUNT_SID=AC4484698bef762369e3d42f52709da19c",
		"WORKERS=many",
	})
	fmt.Println(err)
	// Output:
	// WORKERS: strconv.ParseInt: parsing "many": invalid syntax TWILIO_AUTH_TOKEN: missing: set it,
	// or TWILIO_AUTH_TOKEN_FILE, to the parent account's auth token
}
