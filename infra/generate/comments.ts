import type {
  DescEnum,
  DescEnumValue,
  DescField,
  DescFile,
  DescMessage,
  DescMethod,
  DescService,
} from '@bufbuild/protobuf';

type Documented = DescEnum | DescEnumValue | DescField | DescMessage | DescMethod | DescService;

/**
 * Finds the comment above an element of a .proto file. A SourceCodeInfo path is the chain of field numbers and
 * indexes from FileDescriptorProto down to the element (google/protobuf/descriptor.proto, SourceCodeInfo).
 *
 * @returns a lookup that throws for an element without a comment: authors read these texts in their editor
 */
export function commentsOf(file: DescFile): (element: Documented) => string {
  const texts = new Map(
    file.proto.sourceCodeInfo?.location.map((place) => [place.path.join('.'), place.leadingComments]),
  );
  return (element) => {
    const text = texts.get(pathOf(element).join('.'));
    if (!text?.trim()) throw new Error(`${element} has no comment in ${file.name}.proto`);
    return text
      .trim()
      .split('\n')
      .map((line) => line.trim())
      .join('\n');
  };
}

function pathOf(element: Documented): number[] {
  switch (element.kind) {
    case 'message':
      return element.parent
        ? [...pathOf(element.parent), 3, element.parent.proto.nestedType.indexOf(element.proto)]
        : [4, element.file.proto.messageType.indexOf(element.proto)];
    case 'field':
      return [...pathOf(element.parent), 2, element.parent.proto.field.indexOf(element.proto)];
    case 'enum':
      return element.parent
        ? [...pathOf(element.parent), 4, element.parent.proto.enumType.indexOf(element.proto)]
        : [5, element.file.proto.enumType.indexOf(element.proto)];
    case 'enum_value':
      return [...pathOf(element.parent), 2, element.parent.proto.value.indexOf(element.proto)];
    case 'service':
      return [6, element.file.proto.service.indexOf(element.proto)];
    case 'rpc':
      return [...pathOf(element.parent), 2, element.parent.proto.method.indexOf(element.proto)];
  }
}
