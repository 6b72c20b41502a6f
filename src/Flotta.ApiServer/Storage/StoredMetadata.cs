using System.Text.Json;

namespace Flotta.ApiServer.Storage;

/// <summary>What selection and clean-up need of an object's metadata, read without parsing the rest (metadata stands at the front of what ObjectTemplate writes).</summary>
internal sealed record StoredMetadata(string Uid, bool Deleting, bool HasFinalizers, IReadOnlyDictionary<string, string> Labels, IReadOnlyList<StoredOwner> Owners)
{
    private static readonly Dictionary<string, string> NoLabels = [];

    public static StoredMetadata Of(StoredObject one)
    {
        var reader = new Utf8JsonReader(one.Json);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var wanted = reader.ValueTextEquals("metadata"u8);
            reader.Read();
            if (wanted && reader.TokenType == JsonTokenType.StartObject)
                return Read(ref reader);
            reader.Skip();
        }

        return new StoredMetadata("", false, false, NoLabels, []);
    }

    private static StoredMetadata Read(ref Utf8JsonReader reader)
    {
        var (uid, deleting, finalizers) = ("", false, false);
        IReadOnlyDictionary<string, string> labels = NoLabels;
        List<StoredOwner> owners = [];
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("uid"u8))
                uid = Text(ref reader);
            else if (reader.ValueTextEquals("labels"u8))
                labels = Strings(ref reader);
            else if (reader.ValueTextEquals("deletionTimestamp"u8))
                deleting = Text(ref reader).Length > 0;
            else if (reader.ValueTextEquals("finalizers"u8))
                finalizers = reader.Read() && reader.TokenType == JsonTokenType.StartArray && Items(ref reader) > 0;
            else if (reader.ValueTextEquals("ownerReferences"u8))
                Read(ref reader, owners);
            else
                reader.Skip();
        }

        return new StoredMetadata(uid, deleting, finalizers, labels, owners);
    }

    private static string Text(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String)
            return reader.GetString()!;
        reader.Skip();
        return "";
    }

    private static int Items(ref Utf8JsonReader reader)
    {
        var count = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            reader.Skip();
            count++;
        }

        return count;
    }

    private static Dictionary<string, string> Strings(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return NoLabels;
        }

        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            found[name] = Text(ref reader);
        }

        return found;
    }

    private static void Read(ref Utf8JsonReader reader, List<StoredOwner> owners)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            reader.Skip();
            return;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            var (uid, apiVersion, kind, name, blocks) = ("", "", "", "", false);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("uid"u8))
                    uid = Text(ref reader);
                else if (reader.ValueTextEquals("apiVersion"u8))
                    apiVersion = Text(ref reader);
                else if (reader.ValueTextEquals("kind"u8))
                    kind = Text(ref reader);
                else if (reader.ValueTextEquals("name"u8))
                    name = Text(ref reader);
                else if (reader.ValueTextEquals("blockOwnerDeletion"u8))
                    blocks = reader.Read() && reader.TokenType == JsonTokenType.True;
                else
                    reader.Skip();
            }

            owners.Add(new StoredOwner(uid, apiVersion, kind, name, blocks));
        }
    }
}

/// <summary>One of an object's ownerReferences.</summary>
internal sealed record StoredOwner(string Uid, string ApiVersion, string Kind, string Name, bool Blocks);
