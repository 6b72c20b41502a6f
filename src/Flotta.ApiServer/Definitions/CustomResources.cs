using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>From a CustomResourceDefinition object to what is served.</summary>
internal static partial class CustomResources
{
    /// <summary>Fills in the CRD's own defaults (names.singular, names.listKind, conversion, …), in place.</summary>
    public static void Default(JsonObject crd) => throw new NotSupportedException("not built yet");

    /// <summary>All that is wrong with the CRD; old is null on create.</summary>
    public static IReadOnlyList<FieldError> Validate(JsonObject crd, JsonObject? old) => throw new NotSupportedException("not built yet");

    /// <summary>One definition per served version, of a CRD that is valid.</summary>
    public static IReadOnlyList<ResourceDefinition> Parse(JsonObject crd) => throw new NotSupportedException("not built yet");

    /// <summary>The version that objects are stored in.</summary>
    public static string StorageVersion(JsonObject crd) => throw new NotSupportedException("not built yet");

    /// <summary>Sets status in place: acceptedNames, storedVersions, conditions NamesAccepted and Established (kept with their times where they are already so).</summary>
    /// <param name="nameConflict">Null, or what the NamesAccepted=False condition says.</param>
    public static void Establish(JsonObject crd, string? nameConflict, DateTimeOffset now) => throw new NotSupportedException("not built yet");
}
