using System.Reflection;
using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Cloud.Tests.Kit;

/// <summary>The compiled product as data: which method uses what. Comments and strings can't fool it, aliases can't hide from it.</summary>
public sealed class Code
{
    /// <param name="Where">Full name of the outermost type, so that lambdas and async methods count as their author.</param>
    /// <param name="What">TYPE::METHOD of a call, full names.</param>
    public sealed record Use(string Where, string What);

    public static readonly Code Functions = new(typeof(Slices).Assembly);
    public static readonly Code Host = new(typeof(Agents.Host.Agent).Assembly);
    public static readonly Code Sidecar = new(Assembly.Load("Cloud.Agents.Sidecar"));
    public static readonly Code Simulated = new(typeof(Agents.Simulated.SimulatedHost).Assembly);
    public static readonly Code Contract = new(typeof(Agents.Contract.Names).Assembly);
    public static readonly Code[] Product = [Functions, Host, Sidecar, Simulated, Contract];

    public IReadOnlyList<Use> Calls { get; }
    /// <summary>Outermost type to outermost types of the same product that it mentions in any way.</summary>
    public ILookup<string, string> Mentions { get; }
    /// <summary>Every string that the code or an attribute holds.</summary>
    public IReadOnlySet<string> Strings { get; }

    private Code(Assembly assembly)
    {
        using var module = ModuleDefinition.ReadModule(assembly.Location);
        var calls = new List<Use>();
        var mentions = new HashSet<(string, string)>();
        var strings = new HashSet<string>();
        foreach (var type in module.GetTypes())
        {
            var where = Outermost(type);
            void Mention(TypeReference? t)
            {
                if (t is GenericInstanceType g) foreach (var a in g.GenericArguments) Mention(a);
                if (t?.GetElementType() is { } e && e.Scope == module && !e.IsGenericParameter) mentions.Add((where, Outermost(e)));
            }
            void Attributes(Mono.Cecil.ICustomAttributeProvider p)
            {
                foreach (var a in p.CustomAttributes)
                {
                    foreach (var v in a.ConstructorArguments.Concat(a.Properties.Select(x => x.Argument)).Concat(a.Fields.Select(x => x.Argument))) if (v.Value is string s) strings.Add(s);
                    if (a.AttributeType.Namespace.StartsWith("Cloud", StringComparison.Ordinal)) Mention(a.AttributeType);
                }
            }
            Mention(type.BaseType);
            Attributes(type);
            foreach (var i in type.Interfaces) Mention(i.InterfaceType);
            foreach (var f in type.Fields) { Mention(f.FieldType); Attributes(f); if (f.Constant is string s) strings.Add(s); }
            foreach (var p in type.Properties) { Mention(p.PropertyType); Attributes(p); }
            foreach (var m in type.Methods)
            {
                Mention(m.ReturnType);
                foreach (var p in m.Parameters) Mention(p.ParameterType);
                if (!m.HasBody) continue;
                foreach (var v in m.Body.Variables) Mention(v.VariableType);
                foreach (var i in m.Body.Instructions)
                    switch (i.Operand)
                    {
                        case MethodReference r:
                            calls.Add(new(where, $"{r.DeclaringType.GetElementType().FullName}::{r.Name}"));
                            Mention(r.DeclaringType);
                            if (r is GenericInstanceMethod g) foreach (var a in g.GenericArguments) Mention(a);
                            break;
                        case FieldReference f: Mention(f.DeclaringType); break;
                        case TypeReference t: Mention(t); break;
                        case string s when i.OpCode == OpCodes.Ldstr: strings.Add(s); break;
                    }
            }
        }
        (Calls, Strings) = (calls, strings);
        Mentions = mentions.ToLookup(m => m.Item1, m => m.Item2);
    }

    private static string Outermost(TypeReference type)
    {
        while (type.DeclaringType is { } outer) type = outer;
        return type.GetElementType().FullName;
    }
}
