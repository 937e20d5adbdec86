// Consumes a token in a pod, and writes what it saw as lines of JSON. A token is shown by its fingerprint only.
//
//	consumer watch FILE                  a line whenever FILE has another token
//	consumer call FILE URL CA PATIENCE   calls URL with the token in FILE, read for each call, and writes a line for each call.
//	                                     After a 401 it waits for PATIENCE, reads the file again and repeats the call once;
//	                                     0s is not to repeat it
//	consumer environment NAME            a line with the token in this environment variable, once
//	consumer pause                       nothing: it is the container that holds the network of a pod
package main

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// A file is read this often, so what is measured is late by no more.
const look = 5 * time.Millisecond

// The time between two calls.
const rest = 100 * time.Millisecond

type line struct {
	Time     float64 `json:"time"`
	Token    string  `json:"token"`
	Status   int     `json:"status,omitempty"`
	Repeated bool    `json:"repeated,omitempty"`
	Error    string  `json:"error,omitempty"`
}

func main() {
	log.SetFlags(0)
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
	arguments := os.Args[2:]
	switch os.Args[1] {
	case "watch":
		go watch(arguments[0])
	case "call":
		go call(arguments[0], arguments[1], arguments[2], arguments[3])
	case "environment":
		write(line{Token: fingerprint(os.Getenv(arguments[0]))})
	case "pause":
	default:
		log.Fatalf("there is no command %q", os.Args[1])
	}
	<-end
}

func watch(file string) {
	seen := ""
	for {
		token := fingerprint(read(file))
		if token != seen {
			write(line{Token: token})
			seen = token
		}
		time.Sleep(look)
	}
}

func call(file, url, ca, patience string) {
	wait, err := time.ParseDuration(patience)
	if err != nil {
		log.Fatal(err)
	}
	client := trusting(ca)
	for {
		said := get(client, url, read(file))
		if said.Status == http.StatusUnauthorized && wait > 0 {
			time.Sleep(wait)
			said = get(client, url, read(file))
			said.Repeated = true
		}
		write(said)
		time.Sleep(rest)
	}
}

func trusting(ca string) *http.Client {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(read(ca))) {
		log.Fatalf("%s has no certificate", ca)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	return &http.Client{Timeout: 10 * time.Second, Transport: transport}
}

func get(client *http.Client, url, token string) line {
	said := line{Token: fingerprint(token)}
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := client.Do(request)
	if err != nil {
		said.Error = err.Error()
		return said
	}
	defer response.Body.Close()
	// Else each call would have a connection of its own.
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		said.Error = err.Error()
	}
	said.Status = response.StatusCode
	return said
}

func read(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	return string(text)
}

// fingerprint is what status.tokenFingerprint shows.
func fingerprint(token string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(token)))[:8]
}

func write(said line) {
	said.Time = float64(time.Now().UnixMicro()) / 1e6
	text, err := json.Marshal(said)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(text))
}
