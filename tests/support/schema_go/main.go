// A program that knows nothing of an application but where its server is: it reads the schema from
// /api/schema, makes a record of it, and writes the record over gRPC, which it finds by reflection.
//
//	schema http://127.0.0.1:3000/api/schema 127.0.0.1:3001 message entity values
//
// `values` is an object of the fields that are set, with numbers, texts and booleans. What became of
// it is printed as JSON.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	reflection "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

const trackers = "rhtmx.v1.Trackers"

// said is what is printed.
type said struct {
	Files      int               `json:"files"`
	Rules      map[string]string `json:"rules"`
	Version    int64             `json:"version,omitempty"`
	Code       string            `json:"code,omitempty"`
	Violations []string          `json:"violations,omitempty"`
	Extensions []int32           `json:"extensions"`
	Extension  string            `json:"extension"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	files, err := served(arguments[0])
	if err != nil {
		return err
	}
	types := dynamicpb.NewTypes(files)
	found, err := files.FindDescriptorByName(protoreflect.FullName(arguments[2]))
	if err != nil {
		return err
	}
	message := found.(protoreflect.MessageDescriptor)
	record, err := made(message, arguments[4])
	if err != nil {
		return err
	}
	connection, err := grpc.NewClient(
		arguments[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	result := said{Files: files.NumFiles(), Rules: rules(message, types)}
	peer, err := newPeer(connection)
	if err != nil {
		return err
	}
	if err := peer.look(arguments[2], &result); err != nil {
		return err
	}
	if err := peer.push(arguments[3], record, types, &result); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

// served reads the schema that a server shows.
func served(url string) (*protoregistry.Files, error) {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/x-protobuf")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", response.Status, body)
	}
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(body, set); err != nil {
		return nil, err
	}
	return protodesc.NewFiles(set)
}

// rules tells the options of each field, which only the schema itself declares.
func rules(message protoreflect.MessageDescriptor, types *dynamicpb.Types) map[string]string {
	found := map[string]string{}
	for index := 0; index < message.Fields().Len(); index++ {
		field := message.Fields().Get(index)
		raw, _ := proto.Marshal(field.Options())
		options := &descriptorpb.FieldOptions{}
		if (proto.UnmarshalOptions{Resolver: types}).Unmarshal(raw, options) != nil {
			continue
		}
		options.ProtoReflect().Range(func(each protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
			found[string(field.Name())] += string(each.FullName()) + " "
			return true
		})
	}
	return found
}

// made is a record, first as a message of the schema.
func made(message protoreflect.MessageDescriptor, text string) ([]byte, error) {
	var values map[string]any
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		return nil, err
	}
	record := dynamicpb.NewMessage(message)
	for name, value := range values {
		field := message.Fields().ByName(protoreflect.Name(name))
		if field == nil {
			return nil, fmt.Errorf("the schema has no field %s", name)
		}
		record.Set(field, valueOf(field, value))
	}
	return json.Marshal(written(record))
}

func valueOf(field protoreflect.FieldDescriptor, value any) protoreflect.Value {
	switch field.Kind() {
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(int64(value.(float64)))
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(value.(float64)))
	default:
		return protoreflect.ValueOf(value)
	}
}

// written is the JSON of a record. That of protobuf has 64 bits as texts, and other keys and words.
func written(record protoreflect.Message) map[string]any {
	found := map[string]any{}
	record.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if field.Kind() == protoreflect.EnumKind {
			found[string(field.Name())] = int32(value.Enum())
		} else {
			found[string(field.Name())] = value.Interface()
		}
		return true
	})
	return found
}

// peer asks a server by reflection what there is.
type peer struct {
	connection *grpc.ClientConn
	stream     grpc.BidiStreamingClient[
		reflection.ServerReflectionRequest, reflection.ServerReflectionResponse]
	set  *descriptorpb.FileDescriptorSet
	have map[string]bool
}

func newPeer(connection *grpc.ClientConn) (*peer, error) {
	client := reflection.NewServerReflectionClient(connection)
	stream, err := client.ServerReflectionInfo(context.Background())
	set := &descriptorpb.FileDescriptorSet{}
	return &peer{connection, stream, set, map[string]bool{}}, err
}

func (p *peer) ask(
	request *reflection.ServerReflectionRequest,
) (*reflection.ServerReflectionResponse, error) {
	if err := p.stream.Send(request); err != nil {
		return nil, err
	}
	response, err := p.stream.Recv()
	if err != nil {
		return nil, err
	}
	if problem := response.GetErrorResponse(); problem != nil {
		return nil, fmt.Errorf("reflection: %d %s", problem.ErrorCode, problem.ErrorMessage)
	}
	for _, raw := range response.GetFileDescriptorResponse().GetFileDescriptorProto() {
		file := &descriptorpb.FileDescriptorProto{}
		if err := proto.Unmarshal(raw, file); err != nil {
			return nil, err
		}
		if !p.have[file.GetName()] {
			p.have[file.GetName()] = true
			p.set.File = append(p.set.File, file)
		}
	}
	return response, nil
}

func (p *peer) symbol(name string) error {
	_, err := p.ask(&reflection.ServerReflectionRequest{
		MessageRequest: &reflection.ServerReflectionRequest_FileContainingSymbol{
			FileContainingSymbol: name}})
	return err
}

// look finds the service, the application's message, and the options that its fields have.
func (p *peer) look(message string, result *said) error {
	for _, name := range []string{trackers, message} {
		if err := p.symbol(name); err != nil {
			return err
		}
	}
	const options = "google.protobuf.FieldOptions"
	response, err := p.ask(&reflection.ServerReflectionRequest{
		MessageRequest: &reflection.ServerReflectionRequest_AllExtensionNumbersOfType{
			AllExtensionNumbersOfType: options}})
	if err != nil {
		return err
	}
	result.Extensions = response.GetAllExtensionNumbersResponse().GetExtensionNumber()
	_, err = p.ask(&reflection.ServerReflectionRequest{
		MessageRequest: &reflection.ServerReflectionRequest_FileContainingExtension{
			FileContainingExtension: &reflection.ExtensionRequest{
				ContainingType: options, ExtensionNumber: 50221}}})
	if err != nil {
		return err
	}
	// All of it in one registry: nothing of the application is called as the protocol is.
	files, err := protodesc.NewFiles(p.set)
	if err != nil {
		return err
	}
	extension, err := dynamicpb.NewTypes(files).FindExtensionByNumber(options, 50221)
	if err != nil {
		return err
	}
	result.Extension = string(extension.TypeDescriptor().FullName())
	_, err = files.FindDescriptorByName(protoreflect.FullName(message))
	return err
}

// push writes a record.
func (p *peer) push(entity string, record []byte, types *dynamicpb.Types, result *said) error {
	files, err := protodesc.NewFiles(p.set)
	if err != nil {
		return err
	}
	found, err := files.FindDescriptorByName(trackers)
	if err != nil {
		return err
	}
	method := found.(protoreflect.ServiceDescriptor).Methods().ByName("Push")
	request, response := dynamicpb.NewMessage(method.Input()), dynamicpb.NewMessage(method.Output())
	fields := method.Input().Fields()
	action := fields.ByName("action")
	create := action.Enum().Values().ByName("CHANGE_ACTION_CREATE").Number()
	request.Set(fields.ByName("entity"), protoreflect.ValueOfString(entity))
	request.Set(fields.ByName("entity_id"), protoreflect.ValueOfString("go"))
	request.Set(action, protoreflect.ValueOfEnum(create))
	request.Set(fields.ByName("data"), protoreflect.ValueOfBytes(record))
	path := fmt.Sprintf("/%s/%s", trackers, method.Name())
	err = p.connection.Invoke(context.Background(), path, request, response)
	if err == nil {
		result.Version = response.Get(method.Output().Fields().ByName("version")).Int()
		return nil
	}
	problem := status.Convert(err)
	result.Code = problem.Code().String()
	for _, detail := range problem.Proto().GetDetails() {
		kind, err := types.FindMessageByURL(detail.GetTypeUrl())
		if err != nil {
			return err
		}
		message := kind.New()
		if err := proto.Unmarshal(detail.GetValue(), message.Interface()); err != nil {
			return err
		}
		list := message.Get(message.Descriptor().Fields().ByName("violations")).List()
		for index := 0; index < list.Len(); index++ {
			each := list.Get(index).Message()
			id := each.Descriptor().Fields().ByName("rule_id")
			result.Violations = append(result.Violations, each.Get(id).String())
		}
	}
	return nil
}
