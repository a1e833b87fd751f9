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
		"TWILIO_AUTH_TOKEN_FILE=/run/secrets/token",
		"WORKERS=20000",
	})
	fmt.Println(err)
	// Output:
	// TWILIO_AUTH_TOKEN_FILE: open /run/secrets/token: no such file or directory
	// WORKERS: must be from 1 to 10000
}
