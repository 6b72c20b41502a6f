namespace Flotta.Resources.Schemas;

/// <summary>How many items a list has at least. (DataAnnotations' own attribute for it needs reflection.)</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class MinItemsAttribute(int count) : Attribute
{
    public int Count { get; } = count;
}
