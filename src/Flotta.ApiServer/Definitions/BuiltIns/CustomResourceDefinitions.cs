namespace Flotta.ApiServer.Definitions;

internal static class CustomResourceDefinitions
{
    private const string Prefix = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.";

    public static ResourceDefinition Definition { get; } = ResourceDefinition.OfServer("apiextensions.k8s.io", "CustomResourceDefinition", namespaced: false) with
    {
        ShortNames = ["crd", "crds"],
        Categories = ["api-extensions"],
        HasStatus = true,
        HasGeneration = true,
        // Its defaults and rules are CustomResources': the verbs call them by name, as they must establish what was defined.
        PrinterColumns = [Cells.Name, Cells.CreatedAt],
        Cells = (item, _) => new(Cells.NameOf(item), item["metadata"].TextAt("creationTimestamp")),
        Schema = new ObjectSchema(Models.Kind(
            Prefix + "CustomResourceDefinition",
            "CustomResourceDefinition describes a resource that the server is to serve. Its name is <plural>.<group>.",
            ("spec!", Spec),
            ("status", Status))),
    };

    private static Schema Names => Models.Model(
        Prefix + "CustomResourceDefinitionNames",
        "CustomResourceDefinitionNames says what the resource is called.",
        ("categories", Models.Texts("Groups of resources that it belongs to, such as all.", "atomic")),
        ("kind!", Models.Text("The kind in CamelCase, singular.")),
        ("listKind", Models.Text("The kind of lists of it. Default: <kind>List.")),
        ("plural!", Models.Text("The name in URLs, in lower case.")),
        ("shortNames", Models.Texts("Short names for people, in lower case.", "atomic")),
        ("singular", Models.Text("The singular, in lower case. Default: the kind in lower case.")));

    private static Schema Spec => Models.Model(
        Prefix + "CustomResourceDefinitionSpec",
        "CustomResourceDefinitionSpec says how the resource is to look.",
        ("conversion", Models.Model(
            Prefix + "CustomResourceConversion",
            "CustomResourceConversion says how objects go from one version to another.",
            ("strategy!", Models.Text("None changes the apiVersion only; Webhook calls one.")),
            ("webhook", new Schema { Type = "object", PreserveUnknownFields = true, Description = "How to call the webhook.", Model = Prefix + "WebhookConversion" }))),
        ("group!", Models.Text("The API group.")),
        ("names!", Names),
        ("preserveUnknownFields", Models.Flag("Must not be true; set x-kubernetes-preserve-unknown-fields in the schema instead.")),
        ("scope!", Models.Text("Cluster or Namespaced.")),
        ("versions!", Models.List(Version, "The versions; exactly one is stored.", listType: "atomic")));

    private static Schema Version => Models.Model(
        Prefix + "CustomResourceDefinitionVersion",
        "CustomResourceDefinitionVersion describes one version.",
        ("additionalPrinterColumns", Models.List(
            Models.Model(
                Prefix + "CustomResourceColumnDefinition",
                "CustomResourceColumnDefinition is a column of kubectl get.",
                ("description", Models.Text("What a person reads about the column.")),
                ("format", Models.Text("An OpenAPI format.")),
                ("jsonPath!", Models.Text("A simple JSONPath to the value.")),
                ("name!", Models.Text("The heading.")),
                ("priority", Models.Int32("0 is always shown, higher ones with -o wide.")),
                ("type!", Models.Text("string, integer, number, boolean or date."))),
            "The columns of kubectl get. Default: Age.", listType: "atomic")),
        ("deprecated", Models.Flag("Answers carry a warning.")),
        ("deprecationWarning", Models.Text("The text of that warning.")),
        ("name!", Models.Text("v1, v2beta1 and so on.")),
        ("schema", Models.Model(
            Prefix + "CustomResourceValidation",
            "CustomResourceValidation holds the schema.",
            ("openAPIV3Schema", JsonSchema.Props))),
        ("selectableFields", Models.List(
            Models.Model(
                Prefix + "SelectableField",
                "SelectableField is a field that field selectors may name.",
                ("jsonPath!", Models.Text("A simple path, such as .spec.color."))),
            "Fields that field selectors may name.", listType: "atomic")),
        ("served!", Models.Flag("Whether it is served.")),
        ("storage!", Models.Flag("Whether objects are stored in it.")),
        ("subresources", Models.Model(
            Prefix + "CustomResourceSubresources",
            "CustomResourceSubresources says which subresources there are.",
            ("scale", Models.Model(
                Prefix + "CustomResourceSubresourceScale",
                "CustomResourceSubresourceScale says where the numbers of the scale subresource are.",
                ("labelSelectorPath", Models.Text("Where the selector is, as text.")),
                ("specReplicasPath!", Models.Text("Where the wanted number is, under .spec.")),
                ("statusReplicasPath!", Models.Text("Where the present number is, under .status.")))),
            ("status", new Schema
            {
                Type = "object",
                PreserveUnknownFields = true,
                Description = "If there, status is a subresource.",
                Model = Prefix + "CustomResourceSubresourceStatus",
            }))));

    private static Schema Status => Models.Model(
        Prefix + "CustomResourceDefinitionStatus",
        "CustomResourceDefinitionStatus says what became of it.",
        ("acceptedNames", Names),
        ("conditions", new Schema
        {
            Type = "array",
            ListType = "map",
            ListMapKeys = ["type"],
            Description = "NamesAccepted, Established and others.",
            Items = Models.Model(
                Prefix + "CustomResourceDefinitionCondition",
                "CustomResourceDefinitionCondition is one observation.",
                ("lastTransitionTime", Models.Time("When the condition last changed.")),
                ("message", Models.Text("What a person should know.")),
                ("reason", Models.Text("One word for why.")),
                ("status!", Models.Text("True, False or Unknown.")),
                ("type!", Models.Text("What is observed."))),
        }),
        ("storedVersions", Models.Texts("Versions that objects were ever stored in.", "atomic")));
}

/// <summary>The schema of schemas, which contains itself.</summary>
internal static class JsonSchema
{
    private const string Name = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps";

    public static Schema Props { get; } = Build();

    private static Schema Build()
    {
        var properties = new Dictionary<string, Schema>(StringComparer.Ordinal);
        var props = new Schema { Type = "object", Model = Name, Description = "JSONSchemaProps is a JSON schema.", Properties = properties };
        var list = new Schema { Type = "array", Items = props, ListType = "atomic" };
        var map = new Schema { Type = "object", AdditionalProperties = props };
        var any = new Schema { PreserveUnknownFields = true };
        // A schema, or true and false; or for items a list of schemas: which of them is right is for the structural rules to say.
        var schemaOrBoolean = new Schema { Properties = properties, Model = Name + "OrBool" };
        var schemaOrList = new Schema { Properties = properties, Model = Name + "OrArray" };
        foreach (var name in (ReadOnlySpan<string>)["$ref", "$schema", "description", "format", "id", "pattern", "title", "type", "x-kubernetes-list-type", "x-kubernetes-map-type"])
            properties[name] = new Schema { Type = "string" };
        foreach (var name in (ReadOnlySpan<string>)
                 ["exclusiveMaximum", "exclusiveMinimum", "nullable", "uniqueItems", "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields"])
            properties[name] = new Schema { Type = "boolean" };
        foreach (var name in (ReadOnlySpan<string>)["maxItems", "maxLength", "maxProperties", "minItems", "minLength", "minProperties"])
            properties[name] = new Schema { Type = "integer", Format = "int64" };
        foreach (var name in (ReadOnlySpan<string>)["maximum", "minimum", "multipleOf"]) properties[name] = new Schema { Type = "number", Format = "double" };
        foreach (var name in (ReadOnlySpan<string>)["allOf", "anyOf", "oneOf"]) properties[name] = list;
        foreach (var name in (ReadOnlySpan<string>)["definitions", "patternProperties", "properties"]) properties[name] = map;
        foreach (var name in (ReadOnlySpan<string>)["required", "x-kubernetes-list-map-keys"]) properties[name] = Models.Texts("", "atomic");
        foreach (var name in (ReadOnlySpan<string>)["default", "dependencies", "example", "externalDocs"]) properties[name] = any;
        foreach (var name in (ReadOnlySpan<string>)["additionalItems", "additionalProperties"]) properties[name] = schemaOrBoolean;
        properties["items"] = schemaOrList;
        properties["enum"] = new Schema { Type = "array", Items = any, ListType = "atomic" };
        properties["not"] = props;
        properties["x-kubernetes-validations"] = new Schema { Type = "array", Items = new Schema { Type = "object", PreserveUnknownFields = true }, ListType = "map", ListMapKeys = ["rule"] };
        return props;
    }
}
